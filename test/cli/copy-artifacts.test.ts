import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { copyArtifacts } from '#cli/copy-artifacts.ts';
import type { ArtifactView } from '#protocol/views.ts';

function setup(content: string, name = 'portrait.png'): { readonly artifact: ArtifactView; readonly out: string } {
  const folder = mkdtempSync(join(tmpdir(), 'callsheet-test-'));
  const path = join(folder, name);
  writeFileSync(path, content);
  const sha256 = createHash('sha256').update(content).digest('hex');
  const base = { artifactId: 'a', runId: 'r', step: 's', item: 0, output: 'o', node: '9', index: 0, mediaType: 'image/png', draft: false };
  const kind = { kind: 'image', createdAt: 1 } as const;
  return { artifact: { ...base, ...kind, path, bytes: content.length, sha256 }, out: join(folder, 'deep', 'out') };
}

describe('copies of artifacts', () => {
  it('makes the directory and leaves nothing but the files in it', async () => {
    const { artifact, out } = setup('pixels');
    const [copy] = await copyArtifacts([artifact], out);
    expect(copy?.path).toBe(join(out, 'portrait.png'));
    expect(readFileSync(join(out, 'portrait.png'), 'utf8')).toBe('pixels');
    expect(readdirSync(out)).toEqual(['portrait.png']);
    expect(existsSync(artifact.path)).toBe(true);
  });

  it('never overwrites: a taken name gets a number', async () => {
    const { artifact, out } = setup('first');
    await copyArtifacts([artifact], out);
    const other = setup('second').artifact;
    const [copy] = await copyArtifacts([other], out);
    expect(copy?.path).toBe(join(out, 'portrait-2.png'));
    expect(readFileSync(join(out, 'portrait.png'), 'utf8')).toBe('first');
  });

  it('takes an equal file that is there already as the copy', async () => {
    const { artifact, out } = setup('same');
    await copyArtifacts([artifact], out);
    const [copy] = await copyArtifacts([artifact], out);
    expect(copy?.path).toBe(join(out, 'portrait.png'));
    expect(readdirSync(out)).toHaveLength(1);
  });

  it('keeps the folder of a sequence, whole, and takes one that is equal for the copy', async () => {
    const { artifact, out } = setup('1', 'frames_0001.png');
    writeFileSync(join(dirname(artifact.path), 'frames_0002.png'), '2');
    writeFileSync(join(dirname(artifact.path), 'other.png'), 'x');
    const hash = (text: string) => createHash('sha256').update(text).digest('hex');
    const sequence = { count: 2, first: 1, pattern: 'frames_####.png', bytes: 2, sha256: hash(hash('1') + hash('2')) };
    const [copy] = await copyArtifacts([{ ...artifact, sequence }], out);
    const folder = basename(dirname(artifact.path));
    expect(copy?.path).toBe(join(out, folder, 'frames_0001.png'));
    expect(readdirSync(out)).toEqual([folder]);
    expect(readdirSync(join(out, folder)).toSorted()).toEqual(['frames_0001.png', 'frames_0002.png']);
    expect((await copyArtifacts([{ ...artifact, sequence }], out))[0]?.path).toBe(copy?.path);
    expect(readdirSync(out)).toEqual([folder]);
    writeFileSync(join(out, folder, 'frames_0002.png'), 'changed by its owner');
    expect((await copyArtifacts([{ ...artifact, sequence }], out))[0]?.path).toBe(join(out, `${folder}-2`, 'frames_0001.png'));
    expect(readFileSync(join(out, folder, 'frames_0002.png'), 'utf8')).toBe('changed by its owner');
  });

  it('says that the run is complete when the directory can not be written', async () => {
    const { artifact } = setup('x');
    await expect(copyArtifacts([artifact], artifact.path)).rejects.toMatchObject({ code: 'OUT_NOT_WRITTEN' });
  });
});
