// The doctor's look at a data directory: it writes there before it says that this is possible.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkDataDirectory } from '#cli/doctor/data-directory.ts';
import { freshDirectory } from '../store/samples.ts';

const CHILD = join(import.meta.dirname, 'doctor-child.ts');

describe('a data directory', () => {
  it('can be written where a file could be, and nothing stays of that', async () => {
    const directory = join(freshDirectory(), 'data');
    mkdirSync(directory);
    expect(await checkDataDirectory(directory)).toMatchObject([{ status: 'ok', message: `${directory} can be written` }]);
    expect(readdirSync(directory)).toEqual([]);
  });

  it.each(['data', 'not made yet'])('on a full disk is not said to be writable: %s', (name) => {
    const parent = freshDirectory();
    const directory = join(parent, name);
    if (name === 'data') mkdirSync(directory);
    // The shell's limit on the size of a file stands for a full disk.
    const script = 'ulimit -f 0; exec "$0" "$@"';
    const answer = execFileSync('sh', ['-c', script, process.execPath, '--no-warnings', CHILD, directory], { encoding: 'utf8' });
    expect(JSON.parse(answer)).toMatchObject([{ status: 'error', hint: expect.stringContaining('Free some space') as unknown }]);
    expect(readdirSync(parent)).toEqual(name === 'data' ? ['data'] : []);
  });
});
