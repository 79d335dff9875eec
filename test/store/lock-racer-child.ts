/** Races for the locks of data directories: reads one directory and moment a line, tries at that very moment, and says how it went; the next line lets go. */
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { CallsheetError } from '#protocol/errors.ts';
import { type DataDirectoryLock, lockDataDirectory } from '#store/lock.ts';

let held: DataDirectoryLock | undefined;
for await (const line of createInterface({ input: process.stdin })) {
  held?.release();
  held = undefined;
  const { dir, at } = JSON.parse(line) as { readonly dir: string; readonly at: number };
  while (Date.now() < at);
  try {
    held = lockDataDirectory(dir);
    writeSync(1, 'held\n');
  } catch (error) {
    writeSync(1, `${error instanceof CallsheetError ? error.code : String(error)}\n`);
  }
}
held?.release();
