import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTemplateCache, type TemplateCache } from '#store/template-cache.ts';

let dir = '';
let file = '';
const opened: TemplateCache[] = [];
const failures: unknown[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'callsheet-cache-'));
  file = join(dir, 'cache', 'templates.db');
  failures.length = 0;
});
afterEach(() => {
  for (const cache of opened.splice(0)) cache.close();
  rmSync(dir, { recursive: true, force: true });
});

function open(options: { build?: string; limit?: number } = {}): TemplateCache {
  const cache = openTemplateCache({ file, build: 'one', onFailure: (error) => failures.push(error), ...options });
  opened.push(cache);
  return cache;
}

const place = (name: string, hash: string | null = null) => ({ path: `/t/${name}`, record: `{"of":"${name}"}`, hash });
const nothing = { places: [], gone: [], sources: [] };

describe('the cache of templates', () => {
  it('gives back places and sources after it was opened again', () => {
    const first = open();
    expect(first.write({ ...nothing, places: [place('a', 'h'), place('b')], sources: [{ hash: 'h', content: 'text' }] })).toEqual(
      new Set(['h']),
    );
    first.close();
    const again = open();
    expect(again.places()).toEqual([
      { path: '/t/a', record: '{"of":"a"}' },
      { path: '/t/b', record: '{"of":"b"}' },
    ]);
    expect(again.source('h')).toBe('text');
    expect(again.source('other')).toBeUndefined();
    expect(failures).toEqual([]);
  });

  it('forgets a source that no place needs any more', () => {
    const cache = open();
    cache.write({ ...nothing, places: [place('a', 'old')], sources: [{ hash: 'old', content: '1' }] });
    cache.write({ ...nothing, places: [place('a', 'new')], sources: [{ hash: 'new', content: '2' }] });
    expect([cache.source('old'), cache.source('new')]).toEqual([undefined, '2']);
    cache.write({ ...nothing, gone: ['/t/a'] });
    expect([cache.places(), cache.source('new')]).toEqual([[], undefined]);
  });

  it('forgets everything that another build wrote', () => {
    open().write({ ...nothing, places: [place('a')] });
    expect(open({ build: 'two' }).places()).toEqual([]);
  });

  it('takes no more sources than its bound, and says which it took', () => {
    const cache = open({ limit: 300_000 });
    const sources = ['a', 'b', 'c'].map((hash) => ({ hash, content: hash.repeat(100_000) }));
    const taken = cache.write({ ...nothing, places: sources.map(({ hash }) => place(hash, hash)), sources });
    expect([...taken]).toEqual(['a', 'b']);
    expect(cache.source('c')).toBeUndefined();
  });

  it('is made anew when its file is no database, and when it was cut short', () => {
    const first = open();
    first.write({ ...nothing, places: [place('a')] });
    first.close();
    const bytes = readFileSync(file);
    for (const damaged of [Buffer.from('this is no database, only some text'), bytes.subarray(0, 5000)]) {
      writeFileSync(file, damaged);
      const cache = open();
      expect(cache.places()).toEqual([]);
      cache.write({ ...nothing, places: [place('b')] });
      // A cut file may show its damage only when it is written; then this start goes without.
      const after = open();
      after.write({ ...nothing, places: [place('b')] });
      expect(after.places()).toEqual([{ path: '/t/b', record: '{"of":"b"}' }]);
      cache.close();
      after.close();
    }
  });

  it('does not believe a record that is not what was written', () => {
    open().write({ ...nothing, places: [place('a'), place('b')] });
    const db = new Database(file);
    db.prepare("UPDATE places SET record = '{}' WHERE path = '/t/a'").run();
    db.close();
    expect(open().places()).toEqual([{ path: '/t/b', record: '{"of":"b"}' }]);
  });

  it('goes on without a file when none can be made', () => {
    writeFileSync(join(dir, 'cache'), 'in the way');
    const cache = open();
    expect([cache.places(), cache.source('h'), cache.write({ ...nothing, places: [place('a')] })]).toEqual([[], undefined, new Set()]);
    expect(failures).not.toEqual([]);
  });

  it('goes on when its file is deleted under it', () => {
    const cache = open();
    rmSync(join(dir, 'cache'), { recursive: true });
    cache.write({ ...nothing, places: [place('a', 'h')], sources: [{ hash: 'h', content: 'text' }] });
    expect([undefined, 'text']).toContain(cache.source('h'));
    cache.close();
    expect(open().places()).toEqual([]);
  });

  it('written by two at once holds whole records of either, and is for its owner alone', () => {
    const [one, two] = [open(), open()];
    for (let round = 0; round < 50; round += 1) {
      one.write({ ...nothing, places: [place('a', `one-${round}`)], sources: [{ hash: `one-${round}`, content: '1' }] });
      two.write({ ...nothing, places: [place('a', `two-${round}`)], sources: [{ hash: `two-${round}`, content: '2' }] });
    }
    expect(open().places()).toEqual([{ path: '/t/a', record: '{"of":"a"}' }]);
    expect([one.source('two-49'), one.source('one-49')]).toEqual(['2', undefined]);
    expect(statSync(join(dir, 'cache')).mode & 0o077).toBe(0);
  });
});
