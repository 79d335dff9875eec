// Every fault of the list in docs/reliability.md has a test that carries its number.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { FAULTS } from '../../scripts/reliability/faults.ts';

const root = join(import.meta.dirname, '..');
const titles = /(?:describe|it)(?:\.\w+)*\(|\[\s*'\[F\d+\]|`\[F\d+\]/;

it('is shown by a test with its number in the title, for each of the 30 faults', () => {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.test.ts'));
  const lines = files.flatMap((name) => readFileSync(join(root, name), 'utf8').split('\n'));
  const shown = new Set(lines.filter((line) => titles.test(line)).flatMap((line) => line.match(/(?<=\[)F\d+(?=\])/g) ?? []));
  const wanted = Array.from({ length: 30 }, (_, index) => `F${String(index + 1)}`);
  expect(wanted.filter((number) => !shown.has(number))).toEqual([]);
  expect(FAULTS.map(({ number }) => number)).toEqual(wanted);
});
