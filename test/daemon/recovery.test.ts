// Poison runs: the one that takes the daemon down is found and set aside after three deaths, whoever else is there, and nobody else is.
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { CallsheetError } from '#protocol/errors.ts';
import { createRecovery, type Recovery } from '#daemon/recovery.ts';
import { MOST_DEATHS, planRecovery, type Standing } from '#daemon/recovery-plan.ts';

const name = (nth: number) => `run-${String(nth)}`;

/** Daemons start over the runs until one lives; the poisoned one kills each that takes it up. Counts the deaths. */
function live(runs: readonly string[], poison: string | undefined, alreadyDead = 1) {
  let before: ReadonlyMap<string, Standing> = new Map();
  let deaths = alreadyDead;
  let left = [...runs];
  for (let start = 1; start < 100; start += 1) {
    const plan = planRecovery(left, before, start > 1 || alreadyDead > 0);
    if (plan.poisoned.length > 0) return { setAside: plan.poisoned, deaths };
    const standing = new Map(plan.standing);
    let died = false;
    const groups = plan.together.length === 0 ? plan.groups : [plan.together, ...plan.groups];
    for (const group of groups) {
      const alone = group !== plan.together && group.length === 1;
      for (const runId of group) standing.set(runId, { deaths: standing.get(runId)?.deaths ?? 0, touched: true, alone });
      died = poison !== undefined && group.includes(poison);
      if (died) break;
      for (const runId of group) standing.delete(runId);
    }
    if (!died) return { setAside: [], deaths };
    deaths += 1;
    before = standing;
    left = [...left];
  }
  return { setAside: ['never'], deaths };
}

describe('[F27] a run that takes the daemon down', () => {
  it('is set aside after three deaths when it is alone', () => {
    expect(live(['poison'], 'poison')).toEqual({ setAside: ['poison'], deaths: MOST_DEATHS });
  });

  it('is found among up to eight after three deaths, and nobody else is blamed', () => {
    for (let count = 1; count <= 8; count += 1) {
      for (let guilty = 0; guilty < count; guilty += 1) {
        const runs = Array.from({ length: count }, (_, nth) => name(nth));
        expect(live(runs, name(guilty))).toEqual({ setAside: [name(guilty)], deaths: MOST_DEATHS });
      }
    }
  });

  it('is found among any number, with a few more deaths', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), fc.nat(), (count, at) => {
        const runs = Array.from({ length: count }, (_, nth) => name(nth));
        const { setAside, deaths } = live(runs, name(at % count));
        expect(setAside).toEqual([name(at % count)]);
        expect(deaths).toBeLessThanOrEqual(MOST_DEATHS + Math.ceil(Math.log(count) / Math.log(8)));
      }),
    );
  });

  it('is nobody when the daemons died of something else', () => {
    expect(live([name(1), name(2)], undefined, 5)).toEqual({ setAside: [], deaths: 5 });
  });
});

describe('a daemon that ended by itself', () => {
  it('blames none of the runs that it worked on, and forgets nothing of those that it did not reach', () => {
    const before = new Map([
      ['a', { deaths: 2, touched: true, alone: true }],
      ['b', { deaths: 2, touched: false, alone: false }],
    ]);
    const plan = planRecovery(['a', 'b', 'c'], before, false);
    expect(plan).toMatchObject({ together: ['a', 'c'], groups: [['b']], poisoned: [] });
  });
});

describe('a run for which nothing is being done', () => {
  afterEach(() => void vi.useRealTimers());

  interface Life {
    readonly atRest?: boolean;
    readonly next?: (recovery: Recovery) => void;
  }
  /** One daemon after another that dies at once; tells which of them set the run aside. */
  function die(times: number, life: Life): readonly number[] {
    vi.useFakeTimers();
    let setting: string | undefined;
    const setAside: number[] = [];
    for (let nth = 1; nth <= times; nth += 1) {
      const recovery = createRecovery({
        contention: { putOff: () => 5 },
        store: { setting: () => setting, putSetting: (_, value) => void (setting = value) },
        takeUp: () => undefined,
        setAside: () => void setAside.push(nth),
        settleMs: 10,
        log: { warn: () => undefined },
      });
      recovery.begin(['run'], new Set(life.atRest === true ? ['run'] : []));
      life.next?.(recovery);
      recovery.stop();
      // As if another process had written it.
      setting = setting?.replace(/"process":"[^"]+"/, '"process":"one that died"');
    }
    return setAside;
  }

  it('is set aside by no number of deaths while it waits for a person, nor while it waits for a place', () => {
    expect(die(20, { atRest: true })).toEqual([]);
    expect(die(20, { next: (recovery) => recovery.rest('run') })).toEqual([]);
  });

  it('is counted again from the moment at which it goes on', () => {
    const answered = (recovery: Recovery) => recovery.hurry('run');
    expect(die(4, { atRest: true, next: answered })).toEqual([4]);
    const placed = (recovery: Recovery) => {
      recovery.rest('run');
      recovery.hurry('run');
    };
    expect(die(4, { next: placed })).toEqual([4]);
  });

  it('is taken up at once, also beside suspects that wait for their turn', () => {
    const before = new Map([
      ['a', { deaths: 2, touched: true, alone: false }],
      ['b', { deaths: 2, touched: true, alone: false }],
    ]);
    expect(planRecovery(['a', 'b', 'run'], before, true, new Set(['run']))).toMatchObject({
      together: [],
      groups: [['a'], ['b']],
      resting: ['run'],
    });
  });
});

describe('runs that are taken up one after another', () => {
  afterEach(() => void vi.useRealTimers());

  it('get their turn also when the disk failed for a moment meanwhile', () => {
    vi.useFakeTimers();
    const dead = { deaths: 2, touched: true, alone: false };
    let setting: string | undefined = JSON.stringify({ process: 'dead', runs: { a: dead, b: dead } });
    let isBad = false;
    const taken: string[] = [];
    const recovery = createRecovery({
      contention: { putOff: () => 1 },
      store: {
        setting: () => setting,
        putSetting(_, value) {
          if (isBad) throw new Error('disk');
          setting = value;
        },
      },
      takeUp: (runId) => void taken.push(runId),
      setAside: () => undefined,
      settleMs: 10,
      log: { warn: () => undefined },
    });
    recovery.begin(['a', 'b']);
    expect(taken).toEqual(['a']);
    isBad = true;
    vi.advanceTimersByTime(10);
    isBad = false;
    vi.advanceTimersByTime(10);
    expect(taken).toEqual(['a', 'b']);
    recovery.close();
  });

  it('are touched only once their count stands, also when another program holds the database at the start', () => {
    vi.useFakeTimers();
    const settings: string[] = [];
    let isHeld = true;
    const taken: string[] = [];
    const recovery = createRecovery({
      contention: { putOff: () => 5 },
      store: {
        setting: () => undefined,
        putSetting(_, value) {
          if (isHeld) throw new CallsheetError('STORAGE_BUSY', 'Another program keeps it busy.');
          settings.push(value);
        },
      },
      takeUp: (runId) => void taken.push(runId),
      setAside: () => undefined,
      settleMs: 10,
      log: { warn: () => undefined },
    });
    recovery.begin(['a', 'b', 'c']);
    vi.advanceTimersByTime(50);
    expect({ taken, waiting: recovery.waiting() }).toEqual({ taken: [], waiting: 3 });
    recovery.hurry('b');
    expect(taken).toEqual(['b']);
    isHeld = false;
    vi.advanceTimersByTime(5);
    expect({ taken, waiting: recovery.waiting() }).toEqual({ taken: ['b', 'a', 'c'], waiting: 0 });
    expect(settings).toHaveLength(1);
    recovery.close();
  });

  it('are suspected together when one is taken up out of turn beside another, and cleared together', () => {
    vi.useFakeTimers();
    const dead = { deaths: 2, touched: true, alone: false };
    let setting: string | undefined = JSON.stringify({ process: 'dead', runs: { a: dead, b: dead, c: dead } });
    const taken: string[] = [];
    const recovery = createRecovery({
      contention: { putOff: () => 5 },
      store: { setting: () => setting, putSetting: (_, value) => void (setting = value) },
      takeUp: (runId) => void taken.push(runId),
      setAside: () => undefined,
      settleMs: 10,
      log: { warn: () => undefined },
    });
    const suspects = () => (JSON.parse(setting ?? '{}') as { readonly runs: Record<string, Standing> }).runs;
    recovery.begin(['a', 'b', 'c']);
    expect({ taken, waiting: recovery.waiting() }).toEqual({ taken: ['a'], waiting: 2 });
    expect(suspects()).toMatchObject({ a: { touched: true, alone: true }, c: { touched: false } });
    recovery.hurry('c');
    expect({ taken, waiting: recovery.waiting() }).toEqual({ taken: ['a', 'c'], waiting: 1 });
    expect(suspects()).toMatchObject({ a: { touched: true, alone: false }, c: { touched: true, alone: false }, b: { touched: false } });
    vi.advanceTimersByTime(10);
    expect({ taken, waiting: recovery.waiting() }).toEqual({ taken: ['a', 'c', 'b'], waiting: 0 });
    expect(suspects()).toEqual({ b: { deaths: 3, touched: true, alone: true } });
    recovery.close();
  });
});
