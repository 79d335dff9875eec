/** A run's event log page by page, for who looks back. */
import { CallsheetError } from '#protocol/errors.ts';
import type { ParamsOf, ResultOf } from '#protocol/methods/index.ts';
import type { Store } from '#store/types.ts';

const PAGE = 500;

/** Throws RUN_NOT_FOUND. */
export function listEvents(
  store: Pick<Store, 'epoch' | 'events' | 'run'>,
  { runId, after = 0, limit = PAGE }: ParamsOf<'event/list'>,
): ResultOf<'event/list'> {
  if (store.run(runId) === undefined) throw new CallsheetError('RUN_NOT_FOUND', 'No run has this id.', { hint: 'List runs: run/list' });
  // One more than is given says whether there are more.
  const found = store.events({ runId, after, limit: limit + 1 });
  return { epoch: store.epoch, events: found.slice(0, limit), more: found.length > limit };
}
