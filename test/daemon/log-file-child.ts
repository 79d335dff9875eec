/** Writes a log on a disk with room for some of it only, then makes room; says what stands there. Started by log-file.test.ts. */
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createLog } from '#daemon/log.ts';
import { logFiles } from '#daemon/log-file.ts';

const [directory = ''] = process.argv.slice(2);
const ballast = join(directory, 'ballast');
writeFileSync(ballast, Buffer.alloc(24 * 1024));

const made = await createLog({ dataDir: directory, terminal: false, bytes: 1_000_000 });
const before = process.memoryUsage().heapUsed;
for (let line = 0; line < 20_000; line += 1) {
  made.log.info({ line, filler: 'x'.repeat(100) }, 'while there is no room');
  if (line % 100 === 0) await pause(1);
}
const size = statSync(join(directory, 'log', 'callsheet.log')).size;
const grown = process.memoryUsage().heapUsed - before;
// Everything else goes, and what was written: there is room again.
rmSync(ballast);
for (const file of logFiles(directory)) writeFileSync(file, '');
const deadline = Date.now() + 20_000;
let isThere = false;
for (let line = 0; !isThere && Date.now() < deadline; line += 1) {
  made.log.info({ line }, 'room again');
  await pause(50);
  isThere = logFiles(directory).some((file) => readFileSync(file, 'utf8').includes('room again'));
  // What waited takes the little room there is: a real disk would have more.
  if (!isThere) for (const file of logFiles(directory)) writeFileSync(file, '');
}
await made.close();
process.stdout.write(JSON.stringify({ size, grown, isThere }));
