/** docs/problems.md and the code of import and export name the same problems; docs/importing.md is held by numbers. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const ROOT = new URL('../../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8');

function textsOf(folder: string): string {
  const files = readdirSync(new URL(folder, ROOT)).filter((file) => file.endsWith('.ts'));
  return files.map((file) => read(`${folder}${file}`)).join('\n');
}

describe('docs/problems.md', () => {
  it('lists every code of import and export, sorted, and no other in its table', () => {
    const source = textsOf('src/daemon/exchange/') + textsOf('src/templates/bundle/');
    const used = source.match(/'(?:BUNDLE|IMPORT|EXPORT)_[A-Z_]+'|'TEMPLATE_APPROVAL_NEEDED'/g)?.map((code) => code.slice(1, -1)) ?? [];
    const errors = ['IMPORT_REFUSED', 'EXPORT_REFUSED'];
    const section = /\n## import and export\n(?<table>[^]*?)(?:\n## |$)/.exec(read('docs/problems.md'))?.groups?.['table'] ?? '';
    const listed = [...section.matchAll(/^\| `([A-Z_]+)` \|/gm)].map((row) => row[1]);
    expect(listed).toEqual([...new Set(used)].filter((code) => !errors.includes(code)).toSorted());
  });
});
