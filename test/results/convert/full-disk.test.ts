/** A disk that runs full under a conversion: a small file system in memory, mounted for one process alone. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { freshDirectory } from '../samples.ts';

const CHILD = join(import.meta.dirname, 'full-disk-child.ts');
const SCRIPT = `unshare -rm sh -c 'mount -t tmpfs -o size=64k none "$1" && exec "$0" --no-warnings "$2" "$1" "$3"' "$@"`;

describe('[TO5] a disk that is full', () => {
  it('is told as what it is, whoever noticed it, and nothing is left on it', async ({ skip }) => {
    const [small, path] = [join(freshDirectory(), 'small'), join(freshDirectory(), 'noise.png')];
    mkdirSync(small);
    // Nothing that compresses.
    const noise = Buffer.concat(Array.from({ length: 15_000 }, (_, n) => createHash('sha256').update(String(n)).digest()));
    writeFileSync(
      path,
      await sharp(noise, { raw: { width: 400, height: 400, channels: 3 } })
        .png()
        .toBuffer(),
    );
    const { status, stdout } = spawnSync('sh', ['-c', SCRIPT, 'sh', process.execPath, small, CHILD, path], { encoding: 'utf8' });
    if (status !== 0) process.stderr.write('\n!! A full disk was NOT tried: this system lets nobody mount one (unshare -rm).\n\n');
    skip(status !== 0, 'nothing can be mounted here');
    const { said, left } = JSON.parse(stdout) as {
      readonly said: readonly (readonly [string, string])[];
      readonly left: readonly string[];
    };
    expect(said).toHaveLength(3);
    // Who works slowly is stopped by the watch over the disk before it is full.
    for (const [message, hint] of said) {
      expect(message).toMatch(/^the disk (?:is|would run) full$/);
      expect(hint).toBe('Make room on the disk, and try the run again.');
    }
    expect(left).toEqual([]);
  });
});
