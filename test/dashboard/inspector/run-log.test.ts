import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foldRun } from '#machines/replay/fold-run.ts';
import type { RunEvent, RunEventBody } from '#protocol/events.ts';
import { marksOf } from '../../../dashboard/inspector/log-marks.ts';
import { createRunLog } from '../../../dashboard/inspector/run-log.ts';

const plan = { ids: ['a', 'b'] };

function logged(bodies: readonly RunEventBody[], at: (nth: number) => number = () => 1): RunEvent[] {
  return bodies.map((event, index) => ({ runId: 'r', seq: index + 1, position: index + 1, epoch: 'e', at: at(index), event }));
}

/** A long log of a run with many items, each of which is tried some times. */
function longLog(items: number): RunEvent[] {
  const bodies: RunEventBody[] = [
    { type: 'run.created', template: 't', version: '1.0.0' },
    { type: 'run.status', status: 'running' },
    { type: 'step.planned', step: 'a', items },
  ];
  for (let item = 0; item < items; item += 1) {
    for (const status of ['submitting', 'queued', 'running', 'backing-off', 'submitting', 'running', 'done'] as const) {
      bodies.push({ type: 'step.status', step: 'a', item, attempt: 1, status });
    }
  }
  return logged(bodies);
}

describe('the log of a run on the page', () => {
  const events = longLog(60);

  it('has at every position the states that a fold of all events before it gives, in whatever order it is asked', () => {
    const log = createRunLog(plan);
    log.append(events);
    fc.assert(
      fc.property(fc.array(fc.nat(events.length), { maxLength: 12 }), (positions) => {
        for (const position of positions) {
          expect(log.at(position).machines).toEqual(foldRun(events.slice(0, position), plan).machines);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('grows while it is looked at, and takes in no event twice', () => {
    const log = createRunLog(plan);
    log.append(events.slice(0, 100));
    expect(log.at(100).seq).toBe(100);
    log.append(events.slice(50, 200));
    log.append([]);
    expect(log.length).toBe(200);
    expect(log.at(200).machines).toEqual(foldRun(events.slice(0, 200), plan).machines);
    expect(log.event(200)?.seq).toBe(200);
    expect([log.event(0), log.event(201)]).toEqual([undefined, undefined]);
  });

  it('knows which state a machine was in before', () => {
    const log = createRunLog(plan);
    log.append(events);
    // The third item's states begin at event 18.
    const values = [18, 19, 20, 21].map((position) => [
      log.before(position, 'step:a:2')?.value,
      log.at(position).machines.get('step:a:2')?.value,
    ]);
    expect(values).toEqual([
      ['preparing', 'executing.submitting'],
      ['executing.submitting', 'executing.queued'],
      ['executing.queued', 'executing.running'],
      ['executing.running', 'backing-off'],
    ]);
    expect(log.before(2, 'step:a:2')).toBeUndefined();
    expect(log.before(3, 'step:a:2')).toBeUndefined();
  });
});

describe('the marks of a log', () => {
  const marks = (bodies: readonly RunEventBody[], at: (nth: number) => number, startedAt: number) => {
    const log = createRunLog();
    log.append(logged(bodies, at));
    return marksOf(log, startedAt);
  };
  const running: RunEventBody = { type: 'run.status', status: 'running' };

  it('stand where a daemon that was started later cut into a run', () => {
    expect(marks([running, running, running], (nth) => nth * 10, 15)).toEqual([{ position: 2, words: 'Daemon started again' }]);
  });

  it('are none where the run began with this daemon, or had ended before it', () => {
    expect(marks([running, running], () => 20, 10)).toEqual([]);
    expect(marks([running, running], () => 5, 10)).toEqual([]);
    const ended: readonly RunEventBody[] = [
      running,
      { type: 'run.status', status: 'failed' },
      { type: 'run.retried', nth: 2, again: ['a'] },
    ];
    expect(marks(ended, (nth) => nth * 10, 15)).toEqual([{ position: 2, words: 'Try 2' }]);
  });
});
