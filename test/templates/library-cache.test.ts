import { mkdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createLibrary, type TemplateLibrary } from '#templates/library.ts';
import { stampOf, isTrusted, atRest } from '#templates/stamp.ts';
import type { VaultChanges, VaultFile } from '#templates/vault.ts';
import { folderWith, GRAPH, manifest } from './support.ts';

/** A cache file in memory that counts, and whose content can be spoilt. */
function memoryFile() {
  const places = new Map<string, string>();
  const sources = new Map<string, string>();
  const file: VaultFile = {
    places: () => [...places].map(([path, record]) => ({ path, record })),
    write(changes: VaultChanges) {
      for (const { path, record } of changes.places) places.set(path, record);
      for (const path of changes.gone) places.delete(path);
      for (const { hash, content } of changes.sources) sources.set(hash, content);
      return new Set(changes.sources.map(({ hash }) => hash));
    },
    source: (hash) => sources.get(hash),
  };
  return { file, places, sources };
}

/** Long enough ago that stamps are trusted: as if the files had been saved yesterday. */
function aged(places: Map<string, string>): void {
  for (const [path, record] of places) places.set(path, JSON.stringify({ ...(JSON.parse(record) as object), trusted: true }));
}

const put = (folder: string, title: string): void => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'template.json'), JSON.stringify(manifest({ title })));
  writeFileSync(join(folder, 'w.json'), JSON.stringify(GRAPH));
};

async function opened(folder: string, file?: VaultFile, compiledLimit?: number): Promise<TemplateLibrary> {
  const library = createLibrary([folder], {
    ...(file === undefined ? {} : { cache: file }),
    ...(compiledLimit === undefined ? {} : { compiledLimit }),
  });
  await library.refresh();
  library.flush();
  return library;
}

describe('a library with a cache file', () => {
  it('[TD12] lists what did not change without reading it, and compiles it when it is used', async () => {
    const folder = await folderWith({});
    put(join(folder, 'a'), 'one');
    const { file, places } = memoryFile();
    const first = await opened(folder, file);
    expect(first.use()).toMatchObject({ known: 1, runnable: 1, sources: 0 });
    aged(places);
    const second = await opened(folder, file);
    expect(second.list()).toMatchObject([{ id: 'demo', facts: { title: 'one', steps: ['a'] }, runnable: true }]);
    expect(second.use().compiled).toBe(0);
    expect(second.get('demo')?.template).toMatchObject({ hash: first.get('demo')?.hash, manifest: { title: 'one' } });
    expect(second.use().compiled).toBe(1);
    expect(second.get('demo')?.template).toBe(second.get('demo')?.template);
  });

  it('[TD12] never lists a changed file as it was: not with its old time, not with the same size, not under the same name', async () => {
    const folder = await folderWith({});
    put(join(folder, 'a'), 'one');
    const { file, places } = memoryFile();
    await opened(folder, file);
    aged(places);
    const path = join(folder, 'a', 'template.json');
    const { atime, mtime } = statSync(path);
    writeFileSync(path, JSON.stringify(manifest({ title: 'two' })));
    utimesSync(path, atime, mtime);
    expect((await opened(folder, file)).get('demo')?.facts?.title).toBe('two');
    aged(places);
    writeFileSync(join(folder, 'other'), JSON.stringify(manifest({ title: 'six' })));
    utimesSync(join(folder, 'other'), atime, mtime);
    renameSync(join(folder, 'other'), path);
    expect((await opened(folder, file)).get('demo')?.facts?.title).toBe('six');
  });

  it('[TD12] reads again what was saved shortly before it was last read, for then an equal stamp proves nothing', async () => {
    const folder = await folderWith({});
    put(join(folder, 'a'), 'one');
    const { file, places } = memoryFile();
    await opened(folder, file);
    // As if a second save had left no trace in the stamp.
    const [path = '', record = ''] = [...places][0] ?? [];
    writeFileSync(join(folder, 'a', 'template.json'), JSON.stringify(manifest({ title: 'two' })));
    const unseen = { ...(JSON.parse(record) as { files: string[] }), trusted: false };
    places.set(path, JSON.stringify({ ...unseen, stamp: stampOf(unseen.files).text }));
    expect((await opened(folder, file)).get('demo')?.facts?.title).toBe('two');
  });

  it('[TD12] uses the files themselves when the cache lost or spoilt a source', async () => {
    const folder = await folderWith({});
    put(join(folder, 'a'), 'one');
    const { file, places, sources } = memoryFile();
    await opened(folder, file);
    aged(places);
    for (const content of [undefined, '{', '{}', JSON.stringify({ manifest: '{}', workflows: {} })]) {
      for (const hash of sources.keys()) sources.set(hash, content ?? '');
      const library = await opened(folder, file);
      expect(library.get('demo')?.template?.manifest.title).toBe('one');
    }
  });

  it('[TD7] keeps the last good version of a broken template even over a start', async () => {
    const folder = await folderWith({});
    put(join(folder, 'a'), 'one');
    const { file } = memoryFile();
    await opened(folder, file);
    writeFileSync(join(folder, 'a', 'w.json'), '{');
    await opened(folder, file);
    const library = await opened(folder, file);
    expect(library.get('demo')).toMatchObject({ runnable: false, problems: [{ code: 'JSON_SYNTAX' }] });
    expect(library.get('demo')?.template?.manifest.title).toBe('one');
  });

  it('[TD11] forgets what is gone', async () => {
    const folder = await folderWith({});
    put(join(folder, 'a'), 'one');
    const { file, places } = memoryFile();
    const library = await opened(folder, file);
    rmSync(join(folder, 'a'), { recursive: true });
    await library.refresh();
    library.flush();
    expect([places.size, library.use().known, library.use().compiled]).toEqual([0, 0, 0]);
  });
});

describe('the memory of a library', () => {
  it('[TD13] holds the compiled templates that were used last, within its bound, and compiles the others again', async () => {
    const folder = await folderWith({});
    for (let at = 0; at < 20; at += 1) {
      put(join(folder, `t${at}`), `t${at}`);
      writeFileSync(join(folder, `t${at}`, 'template.json'), JSON.stringify(manifest({ id: `t${at}` })));
    }
    const library = await opened(folder, undefined, 100_000);
    expect(library.use().compiled).toBe(0);
    for (const loaded of library.list()) expect(loaded.template?.id).toBe(loaded.id);
    const { compiled, compiledBytes } = library.use();
    expect(compiled).toBeGreaterThan(1);
    expect(compiled).toBeLessThan(20);
    expect(compiledBytes).toBeLessThanOrEqual(100_000);
    const last = library.get('t9')?.template;
    expect(library.get('t9')?.template).toBe(last);
  });

  it('[TD13] keeps no compiled template that alone is larger than the bound, and still serves it', async () => {
    const folder = await folderWith({});
    put(join(folder, 'a'), 'one');
    const library = await opened(folder, undefined, 1000);
    expect(library.get('demo')?.template?.manifest.title).toBe('one');
    expect(library.use()).toMatchObject({ compiled: 0, compiledBytes: 0 });
  });
});

describe('stamps', () => {
  const at = 1_700_000_000_123.5;
  it('[TD12] are trusted only when the last change lay well before the reading, and the clock of the files is fine', () => {
    expect(isTrusted({ text: '', changed: at, coarse: false }, at + 10_000)).toBe(true);
    expect(isTrusted({ text: '', changed: at, coarse: false }, at + 1000)).toBe(false);
    expect(isTrusted({ text: '', changed: at, coarse: true }, at + 10_000)).toBe(false);
    expect(isTrusted({ text: '', changed: at + 60_000, coarse: false }, at)).toBe(false);
  });

  it('[TD14] say that files are at rest some time after the last change, and never wait for a clock that runs ahead', () => {
    expect([0, 30, 59].map((age) => atRest({ text: '', changed: at, coarse: false }, at + age))).toEqual([false, false, false]);
    expect([60, 5000, -60_000].map((age) => atRest({ text: '', changed: at, coarse: false }, at + age))).toEqual([true, true, true]);
  });
});
