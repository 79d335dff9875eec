/** A disk that runs full in the middle of a file: a small file system in memory, mounted for one process alone. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';

const CHILD = join(import.meta.dirname, 'full-disk-child.ts');
const SCRIPT = `unshare -rm sh -c 'mount -t tmpfs -o size=64k none "$1" && exec "$0" --no-warnings "$2" "$1"' "$@"`;

/** Undefined where nobody may mount anything, as on other systems than Linux and in some containers. */
function onSmallDisk(): string | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'callsheet-full-'));
  onTestFinished(() => rmdirSync(directory));
  const { status, stdout } = spawnSync('sh', ['-c', SCRIPT, 'sh', process.execPath, directory, CHILD], { encoding: 'utf8' });
  return status === 0 ? stdout : undefined;
}

describe('[F3] a disk that runs full in the middle of a result', () => {
  it('fails that result with the reason, leaves no part of it, and takes the next one once there is room', ({ skip }) => {
    const said = onSmallDisk();
    if (said === undefined) process.stderr.write('\n!! A full disk was NOT tried: this system lets nobody mount one (unshare -rm).\n\n');
    skip(said === undefined, 'nothing can be mounted here');
    const { outcomes, before, after } = JSON.parse(said ?? '{}') as Readonly<Record<'outcomes' | 'before' | 'after', readonly string[]>>;
    const saved = outcomes.slice(0, -1).filter((outcome) => outcome === 'saved').length;
    expect(saved).toBeGreaterThan(1);
    expect(saved).toBeLessThan(12);
    expect(new Set(outcomes.slice(0, -1).filter((outcome) => outcome !== 'saved'))).toEqual(
      new Set(['STORAGE_FAILED: A result could not be written to DIR: the disk is full.']),
    );
    // Every name stands for a whole file; the note of the last one may have found no room.
    expect(before.filter((name) => name.endsWith('.wav')).length).toBeGreaterThanOrEqual(saved);
    expect([...before, ...after].filter((name) => name.endsWith('.partial'))).toEqual([]);
    expect(outcomes.at(-1)).toBe('saved');
    expect(after).toContain('after.wav');
  });
});
