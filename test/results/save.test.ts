import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { saveArtifact } from '#results/save.ts';
import type { SaveRequest } from '#results/save.ts';
import { sidecarPath } from '#results/sidecar.ts';
import { film, freshDirectory, picture, provenance, safetensors } from './samples.ts';

const PNG = await picture().png().toBuffer();

function request(directory: string, bytes: Uint8Array, changes: Partial<SaveRequest> = {}): SaveRequest {
  return { source: Readable.from([bytes]), directory, baseName: 'portrait', ...changes };
}

function visible(directory: string): readonly string[] {
  return readdirSync(directory).toSorted();
}

describe('saveArtifact', () => {
  it('writes the bytes as they came and tells what they are', async () => {
    const directory = join(freshDirectory(), 'not', 'made', 'yet');
    const pieces = [PNG.subarray(0, 10), PNG.subarray(10, 11), PNG.subarray(11)];
    const saved = await saveArtifact(request(directory, PNG, { source: Readable.from(pieces), expectedBytes: PNG.length }));
    expect(saved).toEqual({
      path: join(directory, 'portrait.png'),
      bytes: PNG.length,
      sha256: createHash('sha256').update(PNG).digest('hex'),
      mediaType: 'image/png',
      kind: 'image',
      facts: { channels: 3, depth: 8, alpha: false },
      width: 48,
      height: 32,
    });
    expect(readFileSync(saved.path).equals(PNG)).toBe(true);
    expect(visible(directory)).toEqual(['portrait.png']);
  });

  it('takes the extension from the content and never from a name', async () => {
    const directory = freshDirectory();
    const saved = await saveArtifact(request(directory, film(), { baseName: 'clip.png', claimedName: 'clip.webp' }));
    expect(saved).toMatchObject({ path: join(directory, 'clip.png.mp4'), mediaType: 'video/mp4', duration: 2.5 });
  });

  it('gives the same path and no second copy when the same file is saved again', async () => {
    const directory = freshDirectory();
    const first = await saveArtifact(request(directory, PNG, { provenance: provenance() }));
    const again = await saveArtifact(request(directory, PNG, { provenance: provenance() }));
    expect(again).toEqual(first);
    expect(visible(directory)).toEqual(['.callsheet', 'portrait.png']);
    expect(visible(join(directory, '.callsheet'))).toEqual(['portrait.png.json']);
  });

  it('never overwrites another file of the same name, and finds its own copy again', async () => {
    const directory = freshDirectory();
    writeFileSync(join(directory, 'portrait.png'), 'somebody’s own');
    mkdirSync(join(directory, 'portrait-2.png'));
    const first = await saveArtifact(request(directory, PNG));
    expect(first.path).toBe(join(directory, 'portrait-3.png'));
    expect((await saveArtifact(request(directory, PNG))).path).toBe(first.path);
    expect(readFileSync(join(directory, 'portrait.png'), 'utf8')).toBe('somebody’s own');
  });

  it('keeps two files that are saved under one name at the same time', async () => {
    const directory = freshDirectory();
    const other = await picture().negate().png().toBuffer();
    const saved = await Promise.all([PNG, other, PNG, other].map((bytes) => saveArtifact(request(directory, bytes))));
    expect(new Set(saved.map(({ path }) => path)).size).toBe(2);
    expect(visible(directory)).toEqual(['portrait-2.png', 'portrait.png']);
  });

  it('writes a note beside the file from which its row can be made again', async () => {
    const directory = freshDirectory();
    const saved = await saveArtifact(request(directory, PNG, { provenance: provenance() }));
    const { path, ...facts } = saved;
    expect(JSON.parse(readFileSync(sidecarPath(path), 'utf8'))).toEqual({
      format: 2,
      file: 'portrait.png',
      ...facts,
      provenance: provenance(),
    });
  });

  it('writes the note that a killed daemon did not come to', async () => {
    const directory = freshDirectory();
    const saved = await saveArtifact(request(directory, PNG));
    await saveArtifact(request(directory, PNG, { provenance: provenance() }));
    expect(JSON.parse(readFileSync(sidecarPath(saved.path), 'utf8'))).toMatchObject({ provenance: { runId: 'r1' } });
  });

  it('keeps what a node said as a text, whatever it looks like, also an empty one', async () => {
    const directory = freshDirectory();
    for (const said of ['', '{"a":1}', '<svg xmlns="x"/>', 'v 1 2 3', 'ID3']) {
      const saved = await saveArtifact(request(directory, Buffer.from(said), { isText: true, baseName: 'said' }));
      expect(saved).toMatchObject({
        bytes: said.length,
        mediaType: 'text/plain',
        kind: 'text',
        path: expect.stringMatching(/\.txt$/) as unknown,
      });
    }
  });

  it('keeps the ending of the backend where files of this kind have it, and no other', async () => {
    const directory = freshDirectory();
    const endings: Record<string, string> = {};
    for (const claimedName of ['a.csv', 'a.md', 'a.exe', 'a.html', 'a', 'a.CSV', 'a.sh'])
      endings[claimedName] = extname(
        (await saveArtifact(request(directory, Buffer.from('a,b'), { claimedName, baseName: claimedName }))).path,
      );
    expect(endings).toEqual({
      'a.csv': '.csv',
      'a.md': '.md',
      'a.exe': '.txt',
      'a.html': '.txt',
      a: '.txt',
      'a.CSV': '.csv',
      'a.sh': '.txt',
    });
  });
});

describe('content that a run has already', () => {
  const other = provenance({ artifactId: 'a2', node: '4' });

  it('gets a name of its own and no second copy on the disk', async () => {
    const directory = freshDirectory();
    const first = await saveArtifact(request(directory, PNG, { provenance: provenance() }));
    const twinOf = () => ({ artifactId: 'a1', path: first.path });
    const second = await saveArtifact(request(directory, PNG, { provenance: other, twinOf }));
    expect(second).toMatchObject({ path: join(directory, 'portrait-2.png'), sameAs: 'a1', sha256: first.sha256 });
    expect(statSync(second.path).ino).toBe(statSync(first.path).ino);
    expect(visible(directory)).toEqual(['.callsheet', 'portrait-2.png', 'portrait.png']);
    expect(visible(join(directory, '.callsheet'))).toHaveLength(2);
    // Saved again after a crash it is the same file, and says so.
    expect(await saveArtifact(request(directory, PNG, { provenance: other, twinOf }))).toEqual(second);
    expect(visible(directory)).toHaveLength(3);
  });

  it('is stored again where the file that has it was changed or is gone', async () => {
    const directory = freshDirectory();
    const first = await saveArtifact(request(directory, PNG, { provenance: provenance() }));
    const twinOf = () => ({ artifactId: 'a1', path: first.path });
    writeFileSync(first.path, 'painted over');
    const second = await saveArtifact(request(directory, PNG, { provenance: other, twinOf }));
    expect(second).not.toHaveProperty('sameAs');
    expect(readFileSync(second.path).equals(PNG)).toBe(true);
    const gone = () => ({ artifactId: 'a1', path: join(directory, 'gone.png') });
    expect(
      await saveArtifact(request(directory, PNG, { provenance: provenance({ artifactId: 'a3', node: '5' }), twinOf: gone })),
    ).not.toHaveProperty('sameAs');
  });

  it('keeps the name that another result of the same content has', async () => {
    const directory = freshDirectory();
    await saveArtifact(request(directory, PNG, { provenance: provenance() }));
    const second = await saveArtifact(request(directory, PNG, { provenance: other }));
    expect(second.path).toBe(join(directory, 'portrait-2.png'));
    // A new attempt of the same item takes the place of the one before it.
    const again = await saveArtifact(request(directory, PNG, { provenance: provenance({ artifactId: 'of attempt 2', promptId: 'p2' }) }));
    expect(again.path).toBe(join(directory, 'portrait.png'));
  });
});

describe('saveArtifact refuses', () => {
  const cases: readonly (readonly [string, Uint8Array, Partial<SaveRequest>, RegExp])[] = [
    ['an empty file', Buffer.alloc(0), {}, /is empty/],
    ['fewer bytes than announced', PNG, { expectedBytes: PNG.length + 1 }, /where \d+ were announced/],
    ['more bytes than announced', PNG, { expectedBytes: PNG.length - 1 }, /where \d+ were announced/],
    ['a picture cut short', PNG.subarray(0, PNG.length - 20), {}, /cut short/],
    ['a film cut short', film().subarray(0, 3000), {}, /cut short/],
    ['tensors cut short', safetensors().subarray(0, 30), {}, /shorter than its header says/],
    [
      'a page where a picture was asked for',
      Buffer.from('<!DOCTYPE html><p>Sign in'),
      { claimedName: 'a.PNG' },
      /sent text\/html where a \.png/,
    ],
    ['noise where a film was asked for', Buffer.from([1, 2, 3, 0]), { claimedName: 'a.mp4' }, /unknown bytes/],
    ['more than the limit', PNG, { maxBytes: 100 }, /larger than the 100 bytes/],
  ];

  for (const [what, bytes, changes, message] of cases) {
    it(`${what}, leaving no file behind`, async () => {
      const directory = freshDirectory();
      const attempt = saveArtifact(request(directory, bytes, changes));
      await expect(attempt).rejects.toMatchObject({ code: 'OUTPUT_INVALID', message: expect.stringMatching(message) });
      expect(visible(directory)).toEqual([]);
    });
  }

  it('a source that breaks off, leaving no file behind', async () => {
    const directory = freshDirectory();
    async function* broken(): AsyncGenerator<Buffer> {
      yield PNG.subarray(0, 100);
      throw new Error('socket hang up');
    }
    const attempt = saveArtifact(request(directory, PNG, { source: Readable.from(broken()) }));
    await expect(attempt).rejects.toMatchObject({ code: 'OUTPUT_INVALID', message: expect.stringContaining('after 100 bytes') });
    expect(visible(directory)).toEqual([]);
  });

  it('to go on once it is aborted, even when the source says nothing more', async () => {
    const directory = freshDirectory();
    const abort = new AbortController();
    const pieces = [PNG.subarray(0, 100)];
    const source = new Readable({
      read() {
        const piece = pieces.pop();
        if (piece === undefined) abort.abort(new Error('cancelled by the run'));
        else this.push(piece);
      },
    });
    const attempt = saveArtifact(request(directory, PNG, { source, signal: abort.signal }));
    await expect(attempt).rejects.toThrowError('cancelled by the run');
    expect(source.destroyed).toBe(true);
    expect(visible(directory)).toEqual([]);
  });

  it('a directory that cannot be one', async () => {
    const file = join(freshDirectory(), 'file');
    writeFileSync(file, '');
    await expect(saveArtifact(request(file, PNG))).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  });
});
