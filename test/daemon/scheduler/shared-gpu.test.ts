import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Card, decide, handed, letGo, mayUse, newCard, sent, TURNS_BEFORE_HAND_OVER } from '#daemon/scheduler/shared-gpu.ts';

const idle = () => false;
const heldBy = (id: string): Card => ({ ...newCard(['a', 'b']), holder: id });

describe('a graphics card of several backends', () => {
  it('is given to the first that wants it, once the others have let go', () => {
    const card = decide(newCard(['a', 'b']), { busy: idle, wanted: ['b'] });
    expect(card.next).toBe('b');
    expect(letGo(card)).toEqual(['a']);
    expect(mayUse(card, 'b', false)).toBe(false);
    expect(mayUse(handed(card), 'b', false)).toBe(true);
  });

  it('belongs, after a restart of ours, to who still works on it', () => {
    const card = decide(newCard(['a', 'b']), { busy: (id) => id === 'a', wanted: ['b'] });
    expect(card).toMatchObject({ holder: 'a', next: undefined });
  });

  it('stays with its holder while that is busy or wanted', () => {
    expect(decide(heldBy('a'), { busy: (id) => id === 'a', wanted: ['b'] }).next).toBeUndefined();
    expect(decide(heldBy('a'), { busy: idle, wanted: ['b', 'a'] }).next).toBeUndefined();
    expect(decide(heldBy('a'), { busy: idle, wanted: ['a'] }).next).toBeUndefined();
  });

  it('stays where it is when nobody waits any more for the one that was to have it, and others do', () => {
    const handing = decide(heldBy('a'), { busy: idle, wanted: ['b'] });
    expect(handing.next).toBe('b');
    expect(decide(handing, { busy: idle, wanted: ['a'] })).toMatchObject({ holder: 'a', next: undefined });
    // With nobody waiting at all the hand-over that has begun goes on.
    expect(decide(handing, { busy: idle, wanted: [] })).toBe(handing);
    expect(decide(handing, { busy: idle, wanted: ['a', 'b'] })).toBe(handing);
  });

  it('goes on after so many attempts of its holder when another one waits', () => {
    let card = heldBy('a');
    for (let turn = 0; turn < TURNS_BEFORE_HAND_OVER; turn += 1) {
      expect(mayUse(card, 'a', true)).toBe(true);
      card = sent(card, true);
    }
    expect(mayUse(card, 'a', true)).toBe(false);
    expect(decide(card, { busy: idle, wanted: ['a', 'b'] }).next).toBe('b');
  });

  it('is never used by two, and everybody who wants it has it in the end', () => {
    const members = ['a', 'b', 'c'];
    const wish = fc.record({ of: fc.constantFrom(...members), takes: fc.integer({ min: 1, max: 3 }) });
    fc.assert(
      fc.property(fc.array(wish, { maxLength: 60 }), (wishes) => {
        let card = newCard(members);
        const waiting = wishes.map((one) => ({ ...one }));
        let working: { of: string; left: number }[] = [];
        for (let turn = 0; waiting.length + working.length > 0; turn += 1) {
          if (turn > 2000) throw new Error('nothing moves any more');
          const wanted = [...new Set(waiting.map(({ of }) => of))];
          const byOthers = (id: string) => wanted.some((other) => other !== id);
          card = decide(card, { busy: (id) => working.some(({ of }) => of === id), wanted });
          expect(card.next === undefined || working.length === 0).toBe(true);
          if (card.next !== undefined) card = handed(card);
          const next = waiting.findIndex(({ of }) => mayUse(card, of, byOthers(of)));
          const [taken] = next < 0 ? [] : waiting.splice(next, 1);
          if (taken !== undefined) {
            working.push({ of: taken.of, left: taken.takes });
            card = sent(card, byOthers(taken.of));
          }
          expect(new Set(working.map(({ of }) => of)).size).toBeLessThanOrEqual(1);
          working = working.map(({ of, left }) => ({ of, left: left - 1 })).filter(({ left }) => left > 0);
        }
      }),
    );
  });
});
