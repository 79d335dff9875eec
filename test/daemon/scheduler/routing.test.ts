import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eligible, type Place, route } from '#daemon/scheduler/routing.ts';

const place = (changes: Partial<Place> = {}): Place => ({
  id: 'a',
  health: 'up',
  fits: true,
  free: 1,
  load: 0,
  holdsModels: true,
  ...changes,
});
const places = fc
  .array(
    fc.record({
      health: fc.constantFrom('up' as const, 'silent' as const, 'away' as const),
      fits: fc.boolean(),
      free: fc.integer({ min: 0, max: 2 }),
      load: fc.integer({ min: 0, max: 9 }),
      holdsModels: fc.boolean(),
    }),
    { maxLength: 6 },
  )
  .map((all) => all.map((one, index) => ({ ...one, id: String(index) })));

describe('the way of an item', () => {
  it('leads only to a place with room that is as healthy as any', () => {
    fc.assert(
      fc.property(places, (all) => {
        const found = route(all);
        const able = eligible(all).filter(({ free }) => free > 0);
        expect(able.length === 0 ? found === undefined : able.some((one) => one === found)).toBe(true);
      }),
    );
  });

  it('waits for a backend that is up rather than to one that is silent or away', () => {
    expect(route([place({ free: 0 }), place({ id: 'b', health: 'silent' }), place({ id: 'c', health: 'away' })])).toBeUndefined();
  });

  it('leads to what there is when nothing is up', () => {
    expect(route([place({ id: 'b', health: 'away' })])?.id).toBe('b');
  });

  it('prefers the one that holds the models to one that is a little less busy', () => {
    expect(route([place({ holdsModels: false }), place({ id: 'b', load: 1 })])?.id).toBe('b');
  });

  it('leads past the one that holds the models when waiting there costs more than loading them', () => {
    expect(route([place({ holdsModels: false }), place({ id: 'b', load: 2 })])?.id).toBe('a');
  });

  it('prefers the less busy of two alike, and of two equals the first', () => {
    expect(route([place({ load: 3 }), place({ id: 'b', load: 1 })])?.id).toBe('b');
    expect(route([place(), place({ id: 'b' })])?.id).toBe('a');
  });

  it('prefers a backend that is known to have what is needed to one that could not be asked', () => {
    expect(route([place({ fits: false }), place({ id: 'b', load: 5, holdsModels: false })])?.id).toBe('b');
  });
});
