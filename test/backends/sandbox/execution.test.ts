import { describe, expect, it } from 'vitest';
import { at, call, connect, submit, textOf } from './client.ts';
import { plainColour, startTestSandbox, textToImage, type TestGraph } from './graphs.ts';

async function session(options: Parameters<typeof startTestSandbox>[0] = {}) {
  const sandbox = await startTestSandbox(options);
  const client = await connect(sandbox.url, 'c');
  const run = async (graph: TestGraph) => {
    const id = await submit(sandbox.url, graph, { client_id: 'c' });
    await client.ended(id);
    const own = client.messages.filter(({ data }) => data['prompt_id'] === id);
    const entry = at((await call(sandbox.url, `/history/${id}`)).json, id);
    const nodes = sandbox.ledger().find((row) => row.prompt_id === id)?.nodes ?? [];
    return { id, own, entry, nodes };
  };
  return { ...sandbox, client, run };
}

describe('execution in the sandbox', () => {
  it('serves an equal graph from the cache under other node ids and titles', async () => {
    const { run } = await session();
    const first = await run(plainColour(5));
    const renamed: TestGraph = {
      a: { class_type: 'EmptyImage', inputs: { color: 5, batch_size: 1, height: 8, width: 16 }, _meta: { title: 'other' } },
      b: { class_type: 'SaveImage', inputs: { filename_prefix: 'plain', images: ['a', 0] } },
    };
    const second = await run(renamed);
    expect(second.nodes).toEqual([]);
    expect(at(second.entry, 'outputs', 'b')).toEqual(at(first.entry, 'outputs', '2'));
    expect(second.own.some(({ type, data }) => type === 'executing' && data['node'] !== null)).toBe(false);
    expect(second.own.some(({ type, data }) => type === 'executed' && data['node'] === 'b')).toBe(true);
  });

  it('runs again only what lies below a changed constant', async () => {
    const { run } = await session();
    await run(textToImage(1));
    expect((await run(textToImage(2))).nodes).toEqual(['3', '8', '9']);
    expect((await run(textToImage(1))).nodes).toEqual([]);
  });

  it('runs again when a loaded file has other bytes', async () => {
    const { run, url } = await session();
    const upload = async (color: number): Promise<void> => {
      const { entry } = await run(plainColour(color));
      const file = textOf(at(entry, 'outputs', '2', 'images', 0, 'filename'));
      const bytes = await (await fetch(`${url}/view?filename=${file}`)).blob();
      const form = new FormData();
      form.append('image', bytes, 'in.png');
      form.append('overwrite', 'true');
      await fetch(`${url}/upload/image`, { method: 'POST', body: form });
    };
    const graph: TestGraph = {
      '1': { class_type: 'LoadImage', inputs: { image: 'in.png' } },
      '2': { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'out' } },
    };
    await upload(1);
    expect((await run(graph)).nodes).toEqual(['1', '2']);
    expect((await run(graph)).nodes).toEqual([]);
    await upload(2);
    expect((await run(graph)).nodes).toEqual(['1', '2']);
  });

  it('never caches a node that says it always changes', async () => {
    const { run } = await session();
    const graph: TestGraph = {
      '1': { class_type: 'PrimitiveInt', inputs: { value: 3 } },
      '2': { class_type: 'SandboxAlwaysChanged', inputs: { value: ['1', 0] } },
      '3': { class_type: 'PreviewAny', inputs: { source: ['2', 0] } },
    };
    await run(graph);
    expect((await run(graph)).nodes).toEqual(['2', '3']);
  });

  it('drops its cache when asked to free memory', async () => {
    const { run, url } = await session();
    await run(plainColour(9));
    await fetch(`${url}/free`, { method: 'POST', body: '{"free_memory":true}' });
    expect((await run(plainColour(9))).nodes).toEqual(['1', '2']);
  });

  it('reports an exception with its node and goes on with the next prompt', async () => {
    const { run } = await session();
    const failed = await run({
      '1': { class_type: 'PrimitiveInt', inputs: { value: 3 } },
      '2': { class_type: 'SandboxFail', inputs: { value: ['1', 0], message: 'no such thing' } },
      '3': { class_type: 'PreviewAny', inputs: { source: ['2', 0] } },
    });
    const error = failed.own.find(({ type }) => type === 'execution_error')?.data;
    expect(error).toMatchObject({
      node_id: '2',
      node_type: 'SandboxFail',
      exception_message: 'no such thing',
      exception_type: 'Exception',
      executed: ['1'],
    });
    expect(at(failed.entry, 'status')).toMatchObject({ status_str: 'error', completed: false });
    expect(at((await run(plainColour())).entry, 'status', 'completed')).toBe(true);
  });

  it('fails as torch does when memory runs out', async () => {
    const { run } = await session();
    const { own } = await run({
      '1': { class_type: 'PrimitiveInt', inputs: { value: 3 } },
      '2': { class_type: 'SandboxOutOfMemory', inputs: { value: ['1', 0] } },
      '3': { class_type: 'PreviewAny', inputs: { source: ['2', 0] } },
    });
    expect(own.find(({ type }) => type === 'execution_error')?.data['exception_type']).toBe('torch.OutOfMemoryError');
  });

  it('skips what stands behind a blocker and still succeeds', async () => {
    const { run } = await session();
    const { entry } = await run({
      '1': { class_type: 'PrimitiveInt', inputs: { value: 3 } },
      '2': { class_type: 'SandboxBlock', inputs: { value: ['1', 0], block: true, message: '' } },
      '3': { class_type: 'PreviewAny', inputs: { source: ['2', 0] } },
      '4': { class_type: 'PreviewAny', inputs: { source: ['1', 0] } },
    });
    expect(at(entry, 'status', 'status_str')).toBe('success');
    expect(Object.keys(Object(at(entry, 'outputs')))).toEqual(['4']);
  });

  it('evaluates only the branch that a lazy switch asks for', async () => {
    const { run } = await session();
    const { nodes, entry } = await run({
      '1': { class_type: 'PrimitiveInt', inputs: { value: 1 } },
      '2': { class_type: 'PrimitiveInt', inputs: { value: 2 } },
      '3': { class_type: 'SandboxSwitch', inputs: { choice: false, on_true: ['1', 0], on_false: ['2', 0] } },
      '4': { class_type: 'PreviewAny', inputs: { source: ['3', 0] } },
    });
    expect(nodes).not.toContain('1');
    expect(at(entry, 'outputs', '4', 'text')).toEqual(['2']);
  });

  it('sends previews with metadata only to sockets that asked for it first', async () => {
    const { url, run, client } = await session();
    await run(textToImage(3));
    expect(client.binaries[0]?.readUInt32BE(0)).toBe(1);
    expect([...(client.binaries[0]?.subarray(4, 11) ?? [])]).toEqual([0, 0, 0, 1, 0xff, 0xd8, 0xff]);
    const modern = await connect(url, 'modern');
    modern.socket.send(JSON.stringify({ type: 'feature_flags', data: { supports_preview_metadata: true } }));
    await modern.until(({ type }) => type === 'feature_flags');
    const id = await submit(url, textToImage(4), { client_id: 'modern' });
    await modern.ended(id);
    const frame = modern.binaries[0] ?? Buffer.alloc(8);
    expect(frame.readUInt32BE(0)).toBe(4);
    expect(JSON.parse(frame.subarray(8, 8 + frame.readUInt32BE(4)).toString())).toMatchObject({
      node_id: '3',
      prompt_id: id,
      image_type: 'image/jpeg',
    });
  });

  it('keeps a reconnected client when its old socket closes later', async () => {
    const { url, client } = await session();
    const again = await connect(url, 'c');
    client.socket.close();
    await new Promise((resolve) => client.socket.once('close', resolve));
    const id = await submit(url, plainColour(77), { client_id: 'c' });
    expect((await again.ended(id)).data['prompt_id']).toBe(id);
  });
});
