/** Commits until the file system takes no more, then says how often that failed, with which code, and what the store holds. */
import { CallsheetError } from '#protocol/errors.ts';
import { openStore } from '#store/store.ts';
import { batchNumber } from './numbered.ts';

const [, , directory = ''] = process.argv;
const store = openStore({ dir: directory });
let acknowledged = 0;
const failures: string[] = [];
while (failures.length < 3 && acknowledged < 10_000) {
  try {
    // What stands is read again after every failure, as the contract asks.
    acknowledged = store.lastPosition() / 2;
    store.commit(batchNumber(acknowledged + 1));
    acknowledged += 1;
  } catch (error) {
    failures.push(error instanceof CallsheetError ? error.code : String(error));
  }
}
const readable = store.events({ after: 0, limit: 1_000_000 }).length / 2;
process.stdout.write(`${JSON.stringify({ acknowledged, readable, failures })}\n`);
