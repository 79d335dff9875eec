// The index of the result cache: what is kept, in which order it goes, and that nothing is believed that somebody changed.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import * as fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type KeptOrigin, type KeptResult, openResultIndex } from '#store/result-index.ts';
import { freshDirectory } from './samples.ts';

const file = (name: string, bytes = 100) => ({ sha256: name.padStart(64, '0'), bytes, node: 'n-1', artifactId: `artifact-${name}` });

function result(key: string, changes: Partial<KeptResult> = {}): KeptResult {
  return {
    key,
    template: 'demo',
    step: 'base',
    request: `request-${key}`,
    runId: `run-${key}`,
    item: 0,
    backend: 'comfyui',
    createdAt: 1,
    seconds: 2.5,
    files: [file(key)],
    parts: { values: { a: key } },
    ...changes,
  };
}

const origin = (text = '{}'): KeptOrigin => ({
  facts: { callsheet: '0.2.0', backend: { id: 'comfyui', kind: 'comfyui' }, inputs: [] },
  times: { working: 2.5 },
  graph: 'a'.repeat(64),
  workflow: null,
  graphs: [{ hash: 'a'.repeat(64), content: text }],
});

function opened(path = join(freshDirectory(), 'cache', 'results.db')) {
  const failures: unknown[] = [];
  const index = openResultIndex({ file: path, onFailure: (error) => failures.push(error) });
  onTestFinished(() => index.close());
  return { index, path, failures };
}

describe('the index of results', () => {
  it('gives back what was put in, also after it was opened again', () => {
    const { index, path } = opened();
    expect(index.put(result('a'), origin())).toBe(index.use().bytes);
    index.close();
    const again = opened(path).index;
    expect(again.get('a')).toEqual(result('a'));
    expect([again.has('a'), again.has('b'), again.get('b')]).toEqual([true, false, undefined]);
    expect([again.origin('a'), again.origin('b')]).toEqual([origin(), undefined]);
  });

  it('counts what made a result to its room, and drops it with it', () => {
    const { index, path } = opened();
    index.put(result('a'), origin());
    const small = index.use().bytes;
    index.put(result('a'), origin('x'.repeat(5000)));
    expect(index.use().bytes).toBe(small - 2 + 5000);
    expect(index.shrink(5000).dropped).toBe(1);
    const db = new Database(path);
    expect(db.prepare('SELECT count(*) FROM origins').pluck().get()).toBe(0);
    db.close();
  });

  it('lists what a step has, those used last first', () => {
    const { index } = opened();
    for (const key of ['a', 'b', 'c']) index.put(result(key), origin());
    index.put(result('d', { step: 'other' }), origin());
    index.touch('a');
    expect(index.near('demo', 'base', 2).map(({ key }) => key)).toEqual(['a', 'c']);
    expect(index.near('demo', 'nowhere', 2)).toEqual([]);
  });

  it('tells whether anything is kept of a request', () => {
    const { index } = opened();
    index.put(result('a'), origin());
    expect([index.isKeptOf('request-a'), index.isKeptOf('request-b')]).toEqual([true, false]);
    index.drop('a');
    expect(index.isKeptOf('request-a')).toBe(false);
  });

  it('counts a file that several results share once, and gives it free with the last of them', () => {
    const { index } = opened();
    index.put(result('a', { files: [file('x', 1000), file('y')] }), origin());
    const one = index.use().bytes;
    index.put(result('b', { files: [file('x', 1000)] }), origin());
    expect(index.use().bytes - one).toBeLessThan(1000);
    expect(index.use().entries).toBe(2);
    expect(index.drop('a')).toEqual([file('y').sha256]);
    expect(index.drop('b')).toEqual([file('x').sha256]);
    expect(index.drop('b')).toEqual([]);
    expect(index.use()).toEqual({ entries: 0, bytes: 0 });
  });

  it('replaces what stood under a key', () => {
    const { index } = opened();
    index.put(result('a'), origin());
    index.put(result('a', { runId: 'other', files: [file('z')] }), origin());
    expect(index.get('a')?.runId).toBe('other');
    expect([...index.files()]).toEqual([file('z').sha256]);
  });

  it('does not believe a record that is not what was written', () => {
    const { index, path } = opened();
    index.put(result('a'), origin());
    index.put(result('b'), origin());
    const db = new Database(path);
    db.prepare(`UPDATE records SET record = replace(record, 'run-a', 'run-x')`).run();
    db.prepare(`UPDATE origins SET origin = replace(origin, '2.5', '1.5') WHERE id = 1`).run();
    db.close();
    expect([index.get('a'), index.origin('a')]).toEqual([undefined, undefined]);
    expect(index.origin('b')).toEqual(origin());
    expect(index.get('b')).toEqual(result('b'));
  });

  it('is made anew when its file is no database, or was cut short', () => {
    const first = opened();
    first.index.put(result('a'), origin());
    first.index.close();
    const bytes = readFileSync(first.path);
    for (const damaged of [Buffer.from('no database at all'), bytes.subarray(0, 3000)]) {
      writeFileSync(first.path, damaged);
      const { index } = opened(first.path);
      index.put(result('b'), origin());
      index.close();
      const { index: after } = opened(first.path);
      after.put(result('b'), origin());
      expect([after.get('a'), after.get('b')]).toEqual([undefined, result('b')]);
      after.close();
    }
  });

  it('goes on when its file is deleted under it, and without one where none can be made', () => {
    const { index, path } = opened();
    index.put(result('a'), origin());
    rmSync(join(path, '..'), { recursive: true });
    index.put(result('b'), origin());
    index.close();
    expect(opened(path).index.use().entries).toBe(0);
    const blocked = freshDirectory();
    writeFileSync(join(blocked, 'cache'), 'in the way');
    const { index: none, failures } = opened(join(blocked, 'cache', 'results.db'));
    expect([none.put(result('a'), origin()), none.get('a'), none.use(), none.shrink(0)]).toEqual([
      undefined,
      undefined,
      { entries: 0, bytes: 0 },
      { dropped: 0, files: [] },
    ]);
    expect(failures).not.toEqual([]);
    expect([none.trouble()?.startsWith(`${join(blocked, 'cache', 'results.db')} cannot be used: `), index.trouble()]).toEqual([
      true,
      undefined,
    ]);
  });

  it('drops what was used longest ago, and never more than it must', () => {
    const command = fc.record({
      key: fc.integer({ min: 0, max: 9 }),
      kind: fc.constantFrom('put', 'touch', 'drop', 'shrink'),
      bytes: fc.nat(4000),
    });
    fc.assert(
      fc.property(fc.array(command, { maxLength: 30 }), (commands) => {
        const { index } = opened();
        let order: string[] = [];
        for (const { key: number, kind, bytes } of commands) {
          const key = String(number);
          const without = order.filter((one) => one !== key);
          let freed: readonly string[] = [];
          let gone: readonly string[] = [];
          if (kind === 'put') {
            index.put(result(key, { files: [file(key, 300)] }), origin());
            order = [...without, key];
          } else if (kind === 'touch') {
            index.touch(key);
            if (order.includes(key)) order = [...without, key];
          } else if (kind === 'drop') {
            freed = index.drop(key);
            gone = order.filter((one) => one === key);
            order = without;
          } else {
            const each = order.length === 0 ? 1 : index.use().bytes / order.length;
            freed = index.shrink(bytes).files;
            gone = order.slice(0, Math.max(0, order.length - Math.floor(bytes / each)));
            order = order.slice(gone.length);
          }
          expect(freed).toEqual(gone.map((one) => file(one).sha256));
          expect(index.near('demo', 'base', 20).map((one) => one.key)).toEqual(order.toReversed());
        }
        index.close();
      }),
      { numRuns: 40 },
    );
  });
});
