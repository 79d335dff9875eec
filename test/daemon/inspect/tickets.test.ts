import { expect, it } from 'vitest';
import { createInspectTickets, TICKET_MS } from '#daemon/inspect/tickets.ts';

it('a ticket opens once, for the run that it was made for', () => {
  const tickets = createInspectTickets();
  const { ticket } = tickets.issue({ runId: 'r' });
  expect(ticket).toMatch(/^[\w-]{43}$/);
  expect(tickets.redeem(ticket)).toMatchObject({ runId: 'r' });
  expect(tickets.redeem(ticket)).toBeUndefined();
  expect(tickets.redeem('x'.repeat(43))).toBeUndefined();
});

it('a ticket is good for 30 seconds', () => {
  let now = 1000;
  const tickets = createInspectTickets(() => now);
  const [early, late] = [tickets.issue({}), tickets.issue({})];
  expect(early.expiresAt).toBe(1000 + TICKET_MS);
  now += TICKET_MS - 1;
  expect(tickets.redeem(early.ticket)).toBeDefined();
  now += 1;
  expect(tickets.redeem(late.ticket)).toBeUndefined();
});

it('so many tickets may be out, and no more until some are used or too old', () => {
  let now = 1000;
  const tickets = createInspectTickets(() => now);
  const [first] = Array.from({ length: 64 }, () => tickets.issue({}).ticket);
  expect(() => tickets.issue({})).toThrow(expect.objectContaining({ code: 'TOO_MANY_REQUESTS' }));
  tickets.redeem(first ?? '');
  expect(tickets.issue({}).ticket).not.toBe(first);
  expect(() => tickets.issue({})).toThrow(/tickets are out/);
  now += TICKET_MS;
  expect(() => tickets.issue({})).not.toThrow();
});
