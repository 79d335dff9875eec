/**
 * The key of scope read in a file of its own, for a scraper that reads its credentials from one (Prometheus: `credentials_file`). It is another
 * with each start, as all keys are; the file is written when the daemon is ready and taken away when it ends.
 */
import { closeSync, constants, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { CallsheetError } from '#protocol/errors.ts';

/** For its owner alone, whole or absent. Throws CONFIG_INVALID. Returns how to take it away. */
export function writeKeyFile(file: string, key: string): () => void {
  const temporary = `${file}.${process.pid}.tmp`;
  const { O_CREAT, O_EXCL, O_WRONLY, O_NOFOLLOW } = constants;
  try {
    rmSync(temporary, { force: true });
    const handle = openSync(temporary, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0o600);
    try {
      writeSync(handle, key);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(temporary, file);
  } catch (cause) {
    rmSync(temporary, { force: true });
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CallsheetError('CONFIG_INVALID', `The key for metrics can not be written to ${file}: ${reason}.`, {
      hint: 'CALLSHEET_METRICS_KEY_FILE names a file in a directory of your own that exists.',
      cause,
    });
  }
  return () => {
    // Another daemon may have written its own there meanwhile.
    if (readText(file) === key) rmSync(file, { force: true });
  };
}

// --- helpers ---

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
