/** What a server says of replaced node classes, and what is made of everything that is no such list. */
import { describe, expect, it } from 'vitest';
import { parseReplacements } from '#graph/replacements.ts';
import { connect, startFake } from './harness.ts';

const path = /^\/node_replacements$/;

describe('the list of replaced node classes', () => {
  it('is taken as it is, asked for once, and asked for again with the object info', async () => {
    const fake = await startFake();
    const backend = connect(fake.url);
    const list = '{"Old": [{"new_node_id": "New", "old_node_id": "Old", "input_mapping": null, "output_mapping": null, "weight": NaN}]}';
    fake.misbehave({ path, mode: { kind: 'reply', status: 200, type: 'application/json', body: list } });
    expect(await backend.nodeReplacements?.()).toBe(list);
    expect(await backend.nodeReplacements?.()).toBe(list);
    const asked = () => fake.requests.filter((request) => path.test(request.path)).length;
    expect(asked()).toBe(1);
    await backend.objectInfo({ refresh: true });
    await backend.nodeReplacements?.();
    expect(asked()).toBe(2);
  });

  it.each([
    ['a server before 0.14', { status: 404, body: '404: Not Found' }],
    ['an error of the server', { status: 500, body: '{"Old": []}' }],
    ['no JSON', { status: 200, body: '<html>' }],
    ['half of it', { status: 200, body: '{"Old": [{"new_node_id": "New"' }],
    ['a list', { status: 200, body: '[1, 2]' }],
    ['nothing', { status: 200, body: '' }],
    ['nesting without end', { status: 200, body: '{"a":'.repeat(100_000) }],
    ['more than any list has', { status: 200, body: `{"Old": "${'x'.repeat(5 * 1024 * 1024)}"}` }],
    ['a way to somewhere else', { status: 302, body: '', headers: { Location: 'http://127.0.0.1:1/' } }],
  ])('is empty for %s', async (_what, reply) => {
    const fake = await startFake();
    fake.misbehave({ path, mode: { kind: 'reply', ...reply } });
    expect(await connect(fake.url).nodeReplacements?.()).toBe('{}');
  });

  it('is not known while nobody answers, and is asked for again', async () => {
    const fake = await startFake();
    const backend = connect(fake.url);
    await fake.stop();
    await expect(backend.nodeReplacements?.()).rejects.toMatchObject({ code: 'BACKEND_UNREACHABLE' });
    await fake.start();
    expect(await backend.nodeReplacements?.()).toBe('{}');
  });
});

describe('entries of the list', () => {
  it.each([
    ['a class that stands in for itself', { Old: [{ new_node_id: 'Old' }] }],
    ['no name', { Old: [{ new_node_id: '' }] }],
    ['no list', { Old: { new_node_id: 'New' } }],
    ['an empty list', { Old: [] }],
    ['inputs without a name', { Old: [{ new_node_id: 'New', input_mapping: [{ old_id: 'a' }] }] }],
    ['inputs from nowhere', { Old: [{ new_node_id: 'New', input_mapping: [{ new_id: 'a' }] }] }],
    ['outputs that cannot be', { Old: [{ new_node_id: 'New', output_mapping: [{ old_idx: -1, new_idx: 0.5 }] }] }],
  ])('count for nothing with %s, and leave the others', (_what, list) => {
    const input_mapping = [{ new_id: 'b', old_id: 'a' }];
    const good = { Good: [{ new_node_id: 'Better', old_widget_ids: ['a'], input_mapping, output_mapping: [{ old_idx: 0, new_idx: 1 }] }] };
    expect(parseReplacements(JSON.stringify({ ...list, ...good }))).toEqual([
      { from: 'Good', to: 'Better', inputs: [{ to: 'b', from: 'a' }], outputs: new Map([[0, 1]]), widgets: ['a'], source: 'the server' },
    ]);
  });

  it('may have any names, also those of JavaScript itself', () => {
    expect(parseReplacements('{"__proto__": [{"new_node_id": "constructor"}]}')).toEqual([
      { from: '__proto__', to: 'constructor', source: 'the server' },
    ]);
  });
});
