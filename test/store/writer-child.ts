/** Commits batch after batch to the store of the directory given, and says the number of each once it is acknowledged. */
import { writeSync } from 'node:fs';
import { openStore } from '#store/store.ts';
import { batchNumber } from './numbered.ts';

const [, , directory = '', count = '0'] = process.argv;
const store = openStore({ dir: directory });
for (let n = store.lastPosition() / 2 + 1; n <= Number(count); n += 1) {
  store.commit(batchNumber(n));
  writeSync(1, `${n}\n`);
}
writeSync(1, 'end\n');
store.close();
