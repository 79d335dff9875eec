import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { watchTemplates } from '#daemon/template-watcher.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'callsheet-watch-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

async function watching(refresh: (paths: readonly string[]) => Promise<void> | void) {
  const watcher = await watchTemplates({
    dirs: [dir],
    refresh: (paths) => (paths === undefined ? undefined : refresh(paths)),
    log: pino({ level: 'silent' }),
  });
  return { [Symbol.asyncDispose]: () => watcher.close() };
}

describe('a save in a template directory', () => {
  it.each<[string, (file: string) => void]>([
    ['a plain write', (file) => writeFileSync(file, '{"a":2}')],
    [
      'a temporary file that is renamed',
      (file) => {
        writeFileSync(`${file}.tmp`, '{"a":2}');
        renameSync(`${file}.tmp`, file);
      },
    ],
    ['a removal', (file) => rmSync(file)],
  ])('is told once for %s', async (_name, save) => {
    mkdirSync(join(dir, 'hero'));
    const file = join(dir, 'hero', 'template.json');
    writeFileSync(file, '{}');
    const seen = Promise.withResolvers<readonly string[]>();
    await using _watcher = await watching(seen.resolve);
    save(file);
    expect(await seen.promise).toContain(file);
  });

  it('in many pieces comes as few calls, never two at once', async () => {
    let working = 0;
    let most = 0;
    const paths = new Set<string>();
    await using _watcher = await watching(async (changed) => {
      working += 1;
      most = Math.max(most, working);
      for (const path of changed) paths.add(path);
      await new Promise((resolve) => setImmediate(resolve));
      working -= 1;
    });
    for (let at = 0; at < 30; at += 1) writeFileSync(join(dir, `${at}.json`), '{}');
    await expect.poll(() => paths.size).toBe(30);
    expect(most).toBe(1);
  });

  it('goes on being seen after a reading that failed', async () => {
    const calls: (readonly string[])[] = [];
    await using _watcher = await watching((paths) => {
      calls.push(paths);
      if (calls.length === 1) throw new Error('broken');
    });
    writeFileSync(join(dir, 'a.json'), '{}');
    await expect.poll(() => calls.length).toBe(1);
    writeFileSync(join(dir, 'b.json'), '{}');
    await expect.poll(() => calls.at(-1)).toContain(join(dir, 'b.json'));
  });

  it('in hidden folders and node_modules is not looked at', async () => {
    for (const folder of ['.git', 'node_modules']) mkdirSync(join(dir, folder));
    const seen: string[] = [];
    await using _watcher = await watching((paths) => void seen.push(...paths));
    for (const folder of ['.git', 'node_modules']) writeFileSync(join(dir, folder, 'x.json'), '{}');
    writeFileSync(join(dir, 'y.json'), '{}');
    await expect.poll(() => seen).toEqual([join(dir, 'y.json')]);
  });
});
