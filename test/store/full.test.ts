import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openStore } from '#store/store.ts';
import { countWholeBatches } from './numbered.ts';
import { freshDirectory } from './samples.ts';

const CHILD = join(import.meta.dirname, 'full-child.ts');

describe('[F3] a file system that takes no more', { timeout: 120_000 }, () => {
  it('fails the commit, loses nothing that was acknowledged, and is gone on from once there is room', () => {
    const directory = freshDirectory();
    // The shell's limit on the size of a file stands for a full disk: the log runs into it and has room again once it is emptied.
    const script = 'ulimit -f 600; exec "$0" "$@"';
    const answer = execFileSync('sh', ['-c', script, process.execPath, '--no-warnings', CHILD, directory], { encoding: 'utf8' });
    const { acknowledged, readable, failures } = JSON.parse(answer);
    expect(failures).toEqual(['STORAGE_FAILED', 'STORAGE_FAILED', 'STORAGE_FAILED']);
    expect(acknowledged).toBeGreaterThan(3);
    expect(readable).toBe(acknowledged);
    const store = openStore({ dir: directory });
    expect(countWholeBatches(store)).toBe(acknowledged);
    store.close();
  });
});
