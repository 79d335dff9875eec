/** docs/problems.md and the code of the graph room name the same problems. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const ROOM = new URL('../../src/graph/', import.meta.url);
const DOC = new URL('../../docs/problems.md', import.meta.url);

describe('docs/problems.md', () => {
  it('lists every code of the graph room, sorted, and no other in its table', () => {
    const source = readdirSync(ROOM, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => readFileSync(new URL(file, ROOM), 'utf8'));
    const used = new Set(
      source
        .join('\n')
        .match(/'(?:CONVERT|JSON|GRAPH|NODE|MODEL|INPUT|LINK|OBJECT_INFO)_[A-Z_]+'/g)
        ?.map((code) => code.slice(1, -1)),
    );
    const section = /\n## graph\/\n(?<table>[^]*?)(?:\n## |$)/.exec(readFileSync(DOC, 'utf8'))?.groups?.['table'] ?? '';
    const listed = [...section.matchAll(/^\| `([A-Z_]+)` \|/gm)].map((row) => row[1]);
    expect(listed).toEqual([...used].toSorted());
  });
});
