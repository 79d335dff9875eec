// What `runs retry` prints: the new try, and nothing of the earlier ones.
import { expect, it } from 'vitest';
import { fromNewestTry } from '#cli/newest-try.ts';
import { createReporter } from '#cli/reporter.ts';
import type { RunEventBody } from '#protocol/events.ts';
import { createFakeIo } from './fake-io.ts';

const LOG: readonly RunEventBody[] = [
  { type: 'run.created', template: 't', version: '1.0.0' },
  { type: 'run.status', status: 'failed' },
  { type: 'run.retried', nth: 2, again: ['base'] },
  { type: 'run.status', status: 'lost' },
  { type: 'run.retried', nth: 3, again: ['base'] },
  { type: 'run.status', status: 'running' },
];

function printed(tries: number | undefined): readonly string[] {
  const io = createFakeIo();
  const reporter = fromNewestTry(createReporter(io, false), tries);
  for (const [at, event] of LOG.entries()) reporter.event({ runId: 'r', seq: at + 1, position: at + 1, epoch: 'e', at, event });
  return io.stdout().trimEnd().split('\n');
}

it('a run that is tried again is told from its newest try on', () => {
  expect(printed(3)).toEqual(['run tried again (3): base', 'run running']);
});

it('a run of one try is told from its beginning', () => {
  expect(printed(undefined)).toHaveLength(LOG.length);
});
