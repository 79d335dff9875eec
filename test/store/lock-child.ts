/** Takes the lock of the directory given, says how that went in one line, and keeps it until it is told to end. */
import { CallsheetError } from '#protocol/errors.ts';
import { lockDataDirectory } from '#store/lock.ts';

const [, , directory = ''] = process.argv;
try {
  const lock = lockDataDirectory(directory);
  process.stdout.write('held\n');
  process.stdin.once('data', () => {
    lock.release();
    process.stdout.write('released\n', () => process.exit(0));
  });
} catch (error) {
  process.stdout.write(`${error instanceof CallsheetError ? `${error.code} ${error.message}` : String(error)}\n`);
  process.exitCode = 3;
}
