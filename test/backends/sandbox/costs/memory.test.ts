import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMemory, type Part } from '#backends/sandbox/costs/memory.ts';

const RATES = { vramBytes: 100, ramBytes: 300, readBytesPerSecond: 10, transferBytesPerSecond: 50 };
const part = (id: string, bytes: number, patches = ''): Part => ({ id, files: [{ name: id, bytes }], bytes, patches });

describe('memory of a model server', () => {
  it('reads a file from the disk once, and moves its part onto the card once', () => {
    const memory = createMemory(RATES);
    expect(memory.open({ name: 'a', bytes: 60 })).toEqual({ seconds: 6, bytesRead: 60, bytesMoved: 0, loads: 0 });
    expect(memory.open({ name: 'a', bytes: 60 }).seconds).toBe(0);
    expect(memory.use([part('a', 60)])).toMatchObject({ seconds: 1.2, bytesRead: 0, bytesMoved: 60, loads: 1, offloaded: 0 });
    expect(memory.use([part('a', 60)])).toMatchObject({ seconds: 0, bytesRead: 0, bytesMoved: 0, loads: 0, offloaded: 0 });
  });

  it('takes no more off the card than it needs, small parts first', () => {
    const memory = createMemory(RATES);
    for (const [id, bytes] of [
      ['large', 60],
      ['small', 30],
    ] as const)
      memory.use([part(id, bytes)]);
    expect(memory.use([part('new', 50)]).bytesMoved).toBe(50);
    // 10 of 100 bytes were free: the small one went wholly, the large one by a third of what it was short of.
    expect(memory.use([part('large', 60)]).bytesMoved).toBe(10);
  });

  it('moves a part anew when other LoRAs are worked into it', () => {
    const memory = createMemory(RATES);
    memory.use([part('a', 60)]);
    expect(memory.use([part('a', 60, 'style:1')]).bytesMoved).toBe(60);
    expect(memory.use([part('a', 60, 'style:1')]).bytesMoved).toBe(0);
  });

  it('says what found no room on the card', () => {
    const memory = createMemory(RATES);
    expect(memory.use([part('a', 130)])).toMatchObject({ bytesMoved: 100, offloaded: 30 });
    expect(memory.use([part('a', 130)])).toMatchObject({ bytesMoved: 0, offloaded: 30 });
  });

  it('reads again what main memory had no room for', () => {
    const memory = createMemory(RATES);
    for (const name of ['a', 'b', 'c']) memory.open({ name, bytes: 120 });
    expect(memory.open({ name: 'c', bytes: 120 }).bytesRead).toBe(0);
    expect(memory.open({ name: 'a', bytes: 120 }).bytesRead).toBe(120);
  });

  it('keeps the page cache over a restart, and nothing on the card', () => {
    const memory = createMemory(RATES);
    memory.open({ name: 'a', bytes: 60 });
    memory.use([part('a', 60)]);
    memory.empty();
    expect(memory.open({ name: 'a', bytes: 60 }).bytesRead).toBe(0);
    expect(memory.use([part('a', 60)]).bytesMoved).toBe(60);
  });

  it('never holds more on the card than fits, and asks for the same in the same way', () => {
    const uses = fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.constantFrom('', 'x')), { maxLength: 40 });
    fc.assert(
      fc.property(uses, (asked) => {
        const run = (): number[] => {
          const memory = createMemory(RATES);
          return asked.map(([number, patches]) => memory.use([part(`p${number}`, 20 + number * 17, patches)]).bytesMoved);
        };
        const moved = run();
        expect(moved).toEqual(run());
        for (const bytes of moved) expect(bytes).toBeLessThanOrEqual(RATES.vramBytes);
        // The same part twice in a row is never moved twice, unless it does not fit.
        const again = asked.flatMap(([number, patches], index) => {
          const before = asked[index - 1];
          return before?.[0] === number && before[1] === patches && 20 + number * 17 <= RATES.vramBytes ? [moved[index]] : [];
        });
        expect(again.filter((bytes) => bytes !== 0)).toEqual([]);
      }),
    );
  });
});
