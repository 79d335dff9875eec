import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { partialPath } from '#results/durable.ts';
import { sweepPartials } from '#results/sweep.ts';
import { freshDirectory } from './samples.ts';

describe('sweepPartials', () => {
  it('removes what a killed daemon left, in every folder below', async () => {
    const root = freshDirectory();
    const folder = join(root, 'run', '.callsheet');
    mkdirSync(folder, { recursive: true });
    const left = [partialPath(root), partialPath(folder)];
    for (const path of left) writeFileSync(path, 'half');
    expect((await sweepPartials(root)).toSorted()).toEqual(left.toSorted());
    expect(left.some((path) => existsSync(path))).toBe(false);
  });

  it('leaves every other file, and what lies behind links', async () => {
    const root = freshDirectory();
    const elsewhere = freshDirectory();
    const foreign = partialPath(elsewhere);
    const kept = [join(root, '.callsheet-notes.partial'), join(root, 'a.partial'), join(root, 'portrait.png'), foreign];
    for (const path of kept) writeFileSync(path, 'mine');
    symlinkSync(elsewhere, join(root, 'link'));
    symlinkSync(foreign, join(root, basename(foreign)));
    expect(await sweepPartials(root)).toEqual([]);
    expect(kept.every((path) => existsSync(path))).toBe(true);
  });

  it('finds nothing where there is no folder', async () => {
    expect(await sweepPartials(join(freshDirectory(), 'nowhere'))).toEqual([]);
  });
});
