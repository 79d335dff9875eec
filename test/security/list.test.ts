// Every threat of the list in docs/security.md has a test that carries its number.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { THREATS } from '../../scripts/security/threats.ts';

const root = join(import.meta.dirname, '..');
const titles = /(?:describe|it)(?:\.\w+)*\(|\[\s*'\[S\d+\]|['`]\[S\d+\]/;

it('is met by a test with its number in the title, for each of the 33 threats', () => {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.test.ts'));
  const lines = files.flatMap((name) => readFileSync(join(root, name), 'utf8').split('\n'));
  const met = new Set(lines.filter((line) => titles.test(line)).flatMap((line) => line.match(/(?<=\[)S\d+(?=\])/g) ?? []));
  const wanted = Array.from({ length: 33 }, (_, index) => `S${String(index + 1)}`);
  expect(wanted.filter((number) => !met.has(number))).toEqual([]);
  expect(THREATS.map(({ number }) => number)).toEqual(wanted);
});

it('has no number beyond the list', () => {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.test.ts'));
  const numbers = files.flatMap((name) => readFileSync(join(root, name), 'utf8').match(/(?<=\[S)\d+(?=\])/g) ?? []).map(Number);
  expect(numbers.filter((number) => number < 1 || number > 33)).toEqual([]);
});
