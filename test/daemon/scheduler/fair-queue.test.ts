import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFairQueue, type Entry, type FairQueue, MOST_OVERTAKEN, TURNS_PER_PRIORITY } from '#daemon/scheduler/fair-queue.ts';

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

  it('lets no entry be overtaken more often than it may, whatever is preferred and whatever comes and goes meanwhile', () => {
    const arrival = fc.record({ client: fc.constantFrom('a', 'b'), priority: fc.constantFrom(0, 1), lane: fc.constantFrom('x', 'y', 'z') });
    const command = fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('add' as const), of: arrival }) },
      {
        weight: 4,
        arbitrary: fc.record({
          kind: fc.constant('take' as const),
          likes: fc.constantFrom('x', 'y', 'z'),
          shut: fc.constantFrom('', 'x', 'y'),
        }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), nth: fc.nat(100) }) },
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 300 }), (commands) => {
        const queue = createFairQueue<Named>();
        const counts = new Map<Named, number>();
        let id = 0;
        for (const one of commands) {
          const entries = [...queue.entries()];
          if (one.kind === 'add') queue.add({ ...one.of, order: (id += 1), id });
          else if (one.kind === 'remove')
            queue.remove(
              entries[one.nth % Math.max(1, entries.length)] ?? { ...same(1)[0], client: '', priority: 0, lane: '', order: 0, id: 0 },
            );
          else {
            const isOpen = ({ lane }: Named) => lane !== one.shut;
            const taken = queue.take(isOpen, ({ lane }) => (lane === 'z' ? undefined : Number(lane === one.likes)));
            const before = entries.filter(
              (each) =>
                taken !== undefined &&
                each.client === taken.client &&
                each.priority === taken.priority &&
                each.order < taken.order &&
                isOpen(each),
            );
            for (const each of before) counts.set(each, (counts.get(each) ?? 0) + 1);
          }
        }
        expect(Math.max(0, ...counts.values())).toBeLessThanOrEqual(MOST_OVERTAKEN);
      }),
    );
  });

  it('makes two loads of twenty shots over two models that came in turns, and serves the rest in the order of arrival', () => {
    const lanes = Array.from({ length: 20 }, (_, n) => ({ client: 'a', priority: 0, lane: n % 2 === 0 ? 'x' : 'y' }));
    const { queue } = filled(lanes);
    let loaded = '';
    const taken: string[] = [];
    for (let next = queue.take(open, ({ lane }) => Number(lane === loaded)); next !== undefined;) {
      loaded = next.lane;
      taken.push(`${next.lane}${String(next.order)}`);
      next = queue.take(open, ({ lane }) => Number(lane === loaded));
    }
    const of = (lane: string, first: number) => Array.from({ length: 10 }, (_, n) => `${lane}${String(first + 2 * n)}`);
    expect(taken).toEqual([...of('x', 0), ...of('y', 1)]);
  });

  it('prefers nothing of a lower priority, however it is liked', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 60 }), fc.constantFrom('x', 'y'), (given, liked) => {
        const order = (affinity?: (one: Named) => number) => {
          const { queue } = filled(given.map((one) => ({ ...one, client: 'a' })));
          return Array.from({ length: given.length }, () => queue.take(open, affinity)?.priority);
        };
        expect(order(({ lane }) => Number(lane === liked))).toEqual(order());
      }),
    );
  });

  it('gives no client more than its share, however its entries are liked', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 60 }), fc.constantFrom('x', 'y'), (given, liked) => {
        const { queue } = filled(given.map((one) => ({ ...one, priority: 0 })));
        const turns = new Map<string, number>(given.map(({ client }) => [client, 0]));
        for (let left = given.length; left > 0; left -= 1) {
          const waiting = new Set([...queue.entries()].map(({ client }) => client));
          const { client = '' } = queue.take(open, ({ lane }) => Number(lane === liked)) ?? {};
          turns.set(client, (turns.get(client) ?? 0) + 1);
          const fewest = Math.min(...[...waiting].map((one) => turns.get(one) ?? 0));
          expect(turns.get(client)).toBeLessThanOrEqual(fewest + 1);
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
