/** Commits a number of batches whatever fails on the way, rereading after each failure as the contract asks; then says what it was told. */
import { CallsheetError } from '#protocol/errors.ts';
import { openStore } from '#store/store.ts';
import type { Store } from '#store/types.ts';
import { batchNumber } from './numbered.ts';

const [, , directory = '', count = '0'] = process.argv;
const MOST_FAILURES = 20;
const failures: string[] = [];
/** The highest number whose commit returned. */
let acknowledged = 0;

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    failures.push(error instanceof CallsheetError ? error.code : String(error));
    return undefined;
  }
}

let store: Store | undefined;
while (acknowledged < Number(count) && failures.length < MOST_FAILURES) {
  store ??= attempt(() => openStore({ dir: directory }));
  const open = store;
  if (open === undefined) continue;
  attempt(() => {
    const next = open.lastPosition() / 2 + 1;
    open.commit(batchNumber(next));
    acknowledged = next;
  });
}
process.stdout.write(`${JSON.stringify({ acknowledged, failures })}\n`);
