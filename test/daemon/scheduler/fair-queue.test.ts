import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFairQueue, type Entry, type FairQueue, TURNS_PER_PRIORITY, WINDOW } from '#daemon/scheduler/fair-queue.ts';

interface Named extends Entry {
  readonly id: number;
}

const open = () => true;
const entry = fc.record({
  client: fc.constantFrom('a', 'b', 'c'),
  priority: fc.integer({ min: -3, max: 3 }),
  lane: fc.constantFrom('x', 'y'),
});

function filled(given: readonly Omit<Entry, 'order'>[]): { readonly queue: FairQueue<Named>; readonly entries: readonly Named[] } {
  const queue = createFairQueue<Named>();
  const entries = given.map((one, index) => ({ ...one, order: index, id: index }));
  for (const one of entries) queue.add(one);
  return { queue, entries };
}

function drain(queue: FairQueue<Named>, isOpen: (one: Named) => boolean = open): readonly Named[] {
  const taken: Named[] = [];
  for (let next = queue.take(isOpen); next !== undefined; next = queue.take(isOpen)) taken.push(next);
  return taken;
}

const same = (count: number, changes: Partial<Omit<Entry, 'order'>> = {}) =>
  Array.from({ length: count }, () => ({ client: 'a', priority: 0, lane: 'x', ...changes }));

describe('the fair queue', () => {
  it('gives out every entry exactly once', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 60 }), (given) => {
        const { queue, entries } = filled(given);
        const taken = drain(queue);
        expect(taken.map(({ id }) => id).toSorted((a, b) => a - b)).toEqual(entries.map(({ id }) => id));
        expect(queue.size).toBe(0);
      }),
    );
  });

  it('keeps the order of arrival within a client and priority', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 60 }), (given) => {
        const taken = drain(filled(given).queue);
        for (const one of Map.groupBy(taken, ({ client, priority }) => `${client} ${String(priority)}`).values()) {
          expect(one.map(({ order }) => order)).toEqual(one.map(({ order }) => order).toSorted((a, b) => a - b));
        }
      }),
    );
  });

  it('takes nothing from a lane that is closed, and everything else as if it were not there', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 60 }), (given) => {
        const all = filled(given);
        const taken = drain(all.queue, ({ lane }) => lane === 'x');
        expect(taken.every(({ lane }) => lane === 'x')).toBe(true);
        const alone = drain(filled(given.filter(({ lane }) => lane === 'x')).queue);
        expect(taken.map(({ client, priority }) => [client, priority])).toEqual(alone.map(({ client, priority }) => [client, priority]));
      }),
    );
  });

  it('gives clients with work the same number of turns, whoever came first with how much', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 40 }), (many, few) => {
        const { queue } = filled([...same(many, { client: 'a' }), ...same(few, { client: 'b' })]);
        const taken = drain(queue).slice(0, 2 * Math.min(many, few));
        const ofB = taken.filter(({ client }) => client === 'b').length;
        expect(Math.abs(ofB - taken.length / 2)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('does not let a client that comes back claim the turns that it did not want', () => {
    const { queue } = filled(same(40, { client: 'a' }));
    for (let turn = 0; turn < 20; turn += 1) queue.take(open);
    for (let id = 100; id < 120; id += 1) queue.add({ client: 'b', priority: 0, lane: 'x', order: id, id });
    const next = Array.from({ length: 10 }, () => queue.take(open)?.client);
    expect(next.filter((client) => client === 'b')).toHaveLength(5);
  });

  it('lets a higher priority go first', () => {
    const { queue } = filled([...same(5), ...same(5, { priority: 1 })]);
    expect(drain(queue).map(({ priority }) => priority)).toEqual([1, 1, 1, 1, 1, 0, 0, 0, 0, 0]);
  });

  it('starves nobody: a lower priority has its turn after a bounded number of turns of higher ones', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 4 }), (gap, clients) => {
        const queue = createFairQueue<Named>();
        queue.add({ client: 'low', priority: 0, lane: 'x', order: 0, id: 0 });
        let turns = 0;
        for (let id = 1; turns <= (gap + 2) * TURNS_PER_PRIORITY + clients; turns += 1, id += 1) {
          // The others always have something waiting.
          for (let client = 0; client < clients; client += 1) {
            queue.add({ client: `high-${String(client)}`, priority: gap, lane: 'x', order: id * 10 + client, id: id * 10 + client });
          }
          if (queue.take(open)?.client === 'low') return;
        }
        expect.unreachable(`not served after ${String(turns)} turns`);
      }),
    );
  });

  it('may prefer an entry that is liked, without leaving the oldest behind for ever', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 60 }), (likes) => {
        const { queue } = filled(same(likes.length));
        for (let oldest = 0, overtaken = 0; queue.size > 0;) {
          const [first] = [...queue.entries()].toSorted((a, b) => a.order - b.order);
          const taken = queue.take(open, ({ id }) => Number(likes[id]));
          overtaken = first?.id === oldest ? overtaken + 1 : 1;
          oldest = first?.id ?? 0;
          if (taken === first) overtaken = 0;
          expect(overtaken).toBeLessThanOrEqual(WINDOW);
          expect((taken?.order ?? 0) - (first?.order ?? 0)).toBeLessThan(2 * WINDOW);
        }
      }),
    );
  });

  it('forgets an entry that is removed', () => {
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 30 }), fc.nat(), (given, nth) => {
        const { queue, entries } = filled(given);
        const gone = entries[nth % entries.length];
        if (gone === undefined) return;
        expect(queue.remove(gone)).toBe(true);
        expect(queue.remove(gone)).toBe(false);
        expect(drain(queue)).not.toContain(gone);
      }),
    );
  });
});
