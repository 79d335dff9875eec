import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { METHODS } from '#protocol/methods/index.ts';
import { openRpcDocument } from '#protocol/openrpc.ts';

const page = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8');

/** The row of a method as the page must have it. */
function rowOf({ name, scope, mutation, description, params }: (typeof METHODS)[keyof typeof METHODS]): string {
  const { properties = {}, required = [] } = params.json as { properties?: object; required?: readonly string[] };
  const members = Object.keys(properties).map((member) => (required.includes(member) ? member : `${member}?`));
  return `| \`${name}\` | ${scope} | ${mutation ? 'yes' : ''} | \`{${members.join(', ')}}\` | ${description} |`;
}

describe('docs/protocol.md', () => {
  it.each(Object.values(METHODS))('has the row of $name as the table of methods says it', (method) => {
    expect(page).toContain(rowOf(method));
  });

  it('has no row of a method that does not exist', () => {
    const named = [...page.matchAll(/^\| `([\w./-]+)` \| (?:read|run|admin) \|/gm)].map((match) => match[1]);
    expect(named).toEqual(Object.keys(METHODS));
  });
});

describe('the OpenRPC document', () => {
  it('has every method with its params, scope and errors, and survives JSON', () => {
    const document = JSON.parse(JSON.stringify(openRpcDocument('0.1.0')));
    expect(document).toMatchObject({ openrpc: '1.3.2', info: { version: '0.1.0' } });
    expect(document.methods.map(({ name }: { name: string }) => name)).toEqual(Object.keys(METHODS));
    const start = document.methods.find(({ name }: { name: string }) => name === 'run/start');
    expect(start).toMatchObject({ 'x-scope': 'run', 'x-mutation': true, paramStructure: 'by-name' });
    expect(start.params.map(({ name, required }: { name: string; required: boolean }) => [name, required])).toEqual([
      ['template', true],
      ['version', false],
      ['parameters', false],
      ['backend', false],
      ['priority', false],
      ['optimize', false],
      ['cache', false],
      ['embed', false],
      ['requestKey', false],
    ]);
  });

  it('keeps to the subset: no references, no combinators', () => {
    expect(JSON.stringify(openRpcDocument('0'))).not.toMatch(/"(?:\$ref|allOf|anyOf|oneOf|not|if|\$data)":/);
  });

  it('gives every mutation a requestKey', () => {
    for (const { name, mutation, params } of Object.values(METHODS)) {
      expect([name, 'requestKey' in ((params.json['properties'] as object | undefined) ?? {})]).toEqual([name, mutation]);
    }
  });
});
