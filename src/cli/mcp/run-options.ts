/** What an agent may ask for a run besides the parameters of its template. */
import { boolean, closed, described, type Infer, integer, optional, string } from '#protocol/schema.ts';

export const waitSeconds = optional(
  described(
    integer({ minimum: 0, maximum: 86_400 }),
    'How long to wait for the end before the call answers with how far the run is; it goes on, and watch_run waits further. 0 does not wait.',
  ),
);
export const backendId = optional(
  described(string({ minLength: 1, maxLength: 64 }), 'Id of a backend, see list_backends; chosen when absent.'),
);

const members = {
  backend: backendId,
  priority: optional(described(integer({ minimum: -100, maximum: 100 }), 'Higher goes first in the queue; 0 when absent.')),
  cache: optional(described(boolean(), 'False: nothing is taken from results of earlier runs.')),
  request_key: optional(
    described(
      string({ minLength: 1, maxLength: 200 }),
      'Unique for each wish: the same key with the same values is the same run, whenever it is asked again.',
    ),
  ),
  wait_seconds: waitSeconds,
};

export const RUN_MEMBERS = members;
export const RUN_OPTIONS = described(closed(members), 'What concerns the run and not the template.');
export type RunOptions = Infer<typeof RUN_OPTIONS>;
