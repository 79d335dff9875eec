import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const DIR = new URL('../../../bench/optimiser/', import.meta.url);
const FILE = new URL('cost-model.json', DIR);

it('the cost model and the requests are those that were frozen before the first pass of the optimiser', () => {
  expect(hashOf('cost-model.json')).toBe('6880b38454c890c0cdbe4654902963b8301ae4b263aa5b1f029dc62c2644376b');
  expect(hashOf('sequences.json')).toBe('af673e45e40210acbfd0f513811acf7852bde8d07af5e7fae79be5d23b5311de');
});

it('every figure of the cost model names a source that is listed with title, address and date', () => {
  const model: unknown = JSON.parse(readFileSync(FILE, 'utf8'));
  const sources = (model as { sources: Record<string, Record<string, string>> }).sources;
  const used = new Set<string>();
  const figures: string[] = [];
  walk(model, (path, value) => {
    if ('source' in value) used.add(String(value['source']));
    if ('value' in value && (typeof value['source'] !== 'string' || typeof value['kind'] !== 'string')) figures.push(path);
  });
  expect(figures).toEqual([]);
  expect([...used].filter((name) => !(name in sources))).toEqual([]);
  expect(Object.values(sources).filter((source) => !source['title'] || !source['address'] || !source['date'])).toEqual([]);
  expect(Object.keys(sources).filter((name) => !used.has(name))).toEqual([]);
});

function walk(value: unknown, visit: (path: string, value: Record<string, unknown>) => void, path = ''): void {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) visit(path, value as Record<string, unknown>);
  for (const [key, inner] of Object.entries(value)) walk(inner, visit, `${path}/${key}`);
}

function hashOf(name: string): string {
  return createHash('sha256')
    .update(readFileSync(new URL(name, DIR)))
    .digest('hex');
}
