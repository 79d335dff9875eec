/** Methods that keep the data directory small: what may go, and what never does. */
import { array, boolean, closed, described, integer, object, optional, string } from '../schema.ts';
import type { Infer } from '../schema.ts';
import { method, progressToken, requestKey, runId, templateId } from './define.ts';
import { runStatus } from './views.ts';

const count = integer({ minimum: 0 });

export const runPin = method({
  name: 'run/pin',
  scope: 'run',
  mutation: true,
  description: 'A pinned run is never cleaned away, by hand or by itself.',
  params: closed({ runId, pinned: optional(described(boolean(), 'False takes the pin off; true when absent.')), requestKey }),
  result: object({ runId: string(), pinned: boolean() }),
  errors: ['RUN_NOT_FOUND', 'REQUEST_KEY_CONFLICT', 'STORAGE_FAILED'],
});

export const runClean = method({
  name: 'run/clean',
  scope: 'admin',
  mutation: true,
  description:
    'Removes runs that have ended, with their files, notes, events and request keys: those that ended longer ago than `olderThan`, and the oldest until all are within `maxBytes`; with `keep` alone all but the newest. Pinned runs stay, and every file that is not as it was written. `dryRun` removes nothing and says exactly what would go. Taken back, it answers with what is gone by then.',
  params: closed({
    olderThan: optional(described(count, 'Milliseconds.')),
    keep: optional(described(count, 'So many of the newest that have ended always stay.')),
    maxBytes: optional(described(count, 'Of the files of all runs together.')),
    template: optional(templateId),
    dryRun: optional(boolean()),
    progressToken,
    requestKey,
  }),
  result: object({
    dryRun: boolean(),
    runs: array(
      object({
        runId: string(),
        template: string(),
        status: runStatus,
        endedAt: count,
        bytes: count,
        files: array(object({ path: string(), bytes: count })),
        left: described(array(object({ path: string(), why: string() })), 'Files that stay, and why.'),
      }),
    ),
    bytes: count,
    kept: described(array(object({ runId: string(), why: string() })), 'Runs that would go and stay, and why.'),
    more: described(boolean(), 'There are more: ask again.'),
  }),
  errors: ['REQUEST_KEY_CONFLICT', 'STORAGE_FAILED'],
});

export type CleanResult = Infer<typeof runClean.result>;
