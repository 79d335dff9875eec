import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ERRORS } from '#protocol/errors.ts';

const root = join(import.meta.dirname, '../..');

async function textsOf(folder: string, ending: string): Promise<string> {
  const names = (await readdir(join(root, folder))).filter((name) => name.endsWith(ending));
  return (await Promise.all(names.map((name) => readFile(join(root, folder, name), 'utf8')))).join('\n');
}

const matches = (text: string, pattern: RegExp): string[] =>
  [...new Set([...text.matchAll(pattern)].map((match) => match[1] ?? ''))].toSorted();

describe('docs of the templates room', () => {
  it('proves every numbered rule of docs/templates.md, and numbers no others', async () => {
    const rules = matches(await readFile(join(root, 'docs/templates.md'), 'utf8'), /^- \*\*(T[A-Z]\d+)\*\*/gm);
    const tests = await Promise.all(
      ['test/templates', 'test/daemon', 'test/results', 'test/e2e'].map((folder) => textsOf(folder, '.test.ts')),
    );
    const proven = matches(tests.join('\n'), /['"`]\[(T[A-Z]\d+)\]/g);
    expect(proven).toEqual(rules);
  });

  it('gives every rule of docs/templates.md a number of its own', async () => {
    const numbers = [...(await readFile(join(root, 'docs/templates.md'), 'utf8')).matchAll(/^- \*\*(T[A-Z]\d+)\*\*/gm)].map(
      ([, rule]) => rule,
    );
    expect(numbers).toEqual([...new Set(numbers)]);
  });

  it('lists every code of the room in docs/problems.md, and no others', async () => {
    const named = matches(await textsOf('src/templates', '.ts'), /'((?:DRIFT|TEMPLATE|PARAMETER|STEP|OUTPUT)_[A-Z_]+)'/g);
    // Codes of errors that are thrown stand in docs/errors.md.
    const used = named.filter((code) => !Object.hasOwn(ERRORS, code));
    const docs = await readFile(join(root, 'docs/problems.md'), 'utf8');
    const section = docs.split(/^## /m).find((part) => part.startsWith('templates/')) ?? '';
    expect(matches(section, /^\| `([A-Z_]+)`/gm)).toEqual(used);
  });
});
