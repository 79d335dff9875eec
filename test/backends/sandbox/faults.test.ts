import { mkdtempSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkFaults, loadFaults } from '#backends/sandbox/faults.ts';
import { at, call, connect, post, submit } from './client.ts';
import { plainColour, sleeping, startTestSandbox } from './graphs.ts';

describe('faults of the sandbox', () => {
  it('names an unknown fault, a wrong type and an unreadable file', () => {
    expect(() => checkFaults({ dropSockets: 1 })).toThrow('knows no fault named "dropSockets"');
    expect(() => checkFaults({ nan: 1 })).toThrow('"nan" takes a boolean');
    expect(() => checkFaults({ historyDelayMs: -1 })).toThrow('takes a number from 0 up');
    const file = path.join(mkdtempSync(path.join(tmpdir(), 'callsheet-faults-')), 'faults.json');
    writeFileSync(file, '{"nan":');
    expect(() => loadFaults(file)).toThrow(file);
    writeFileSync(file, '{"nan":true,"historyDelayMs":20}');
    expect(loadFaults(file)).toEqual({ nan: true, historyDelayMs: 20 });
  });

  it('cuts the sockets at the Nth message, once, and finishes the prompt unseen', async () => {
    const { url, ledger } = await startTestSandbox({ faults: { dropSocketAtEvent: 4 } });
    const client = await connect(url, 'c');
    const closed = once(client.socket, 'close');
    const id = await submit(url, plainColour(), { client_id: 'c' });
    await closed;
    expect(client.messages.length).toBeLessThanOrEqual(4);
    await expect.poll(() => ledger()[0]?.outcome).toBe('success');
    expect(at((await call(url, `/api/jobs/${id}`)).json, 'status')).toBe('completed');
  });

  it('loses the answer to a POST after the prompt was taken', async () => {
    const { url, ledger } = await startTestSandbox({ faults: { losePromptResponses: 1 } });
    await expect(post(url, '/prompt', { prompt: plainColour() })).rejects.toThrow('fetch failed');
    await expect.poll(() => ledger()[0]?.outcome).toBe('success');
    expect(await submit(url, plainColour())).toBeTypeOf('string');
  });

  it('runs out of memory as often as it was told to, in the words of torch', async () => {
    const { url } = await startTestSandbox({ faults: { outOfMemory: 1 } });
    const client = await connect(url, 'c');
    const id = await submit(url, plainColour(), { client_id: 'c' });
    await client.ended(id);
    const [, failure] = client.messages.map(({ type, data }) => [type, data] as const).find(([type]) => type === 'execution_error') ?? [];
    expect(failure).toMatchObject({ prompt_id: id, exception_type: 'torch.OutOfMemoryError' });
    const again = await submit(url, plainColour(), { client_id: 'c' });
    await client.ended(again);
    expect(at((await call(url, `/history/${again}`)).json, again, 'status', 'completed')).toBe(true);
  });

  it('is silent before the first node of a slow start, and answers meanwhile', async () => {
    const { url, ledger, faults } = await startTestSandbox({ faults: { slowStarts: 1, slowStartMs: 60_000 } });
    const id = await submit(url, plainColour());
    await expect.poll(() => ledger().length).toBe(1);
    expect(at((await call(url, '/queue')).json, 'queue_running', 0, 1)).toBe(id);
    expect(ledger()[0]?.nodes).toEqual([]);
    expect(faults.slowStarts).toBe(0);
  });

  it('writes history late, after execution_success was told', async () => {
    const { url } = await startTestSandbox({ faults: { historyDelayMs: 150 } });
    const client = await connect(url, 'c');
    const id = await submit(url, plainColour(), { client_id: 'c' });
    await client.until(({ type }) => type === 'execution_success');
    expect((await call(url, `/history/${id}`)).json).toEqual({});
    expect(at((await call(url, '/queue')).json, 'queue_running', 0, 1)).toBe(id);
    await client.ended(id);
    expect(at((await call(url, `/history/${id}`)).json, id, 'status', 'completed')).toBe(true);
  });

  it('answers HTML to everything like a proxy without its upstream', async () => {
    const { url } = await startTestSandbox({ faults: { htmlStatus: 502 } });
    const answer = await call(url, '/system_stats');
    expect(answer.status).toBe(502);
    expect(answer.text).toContain('<!DOCTYPE html>');
  });

  it('writes bare NaN into prompts and object info', async () => {
    const { url } = await startTestSandbox({ faults: { nan: true } });
    const client = await connect(url, 'c');
    const id = await submit(url, plainColour(), { client_id: 'c' });
    await client.ended(id);
    for (const target of [`/history/${id}`, '/object_info']) {
      expect(await (await fetch(`${url}${target}`)).text()).toMatch(/:NaN[,}]/);
    }
  });

  it('reads NaN, Infinity and text/plain in a request', async () => {
    const { url } = await startTestSandbox();
    const body =
      '{"prompt":{"1":{"class_type":"PrimitiveString","inputs":{"value":"NaN"},"is_changed":[NaN]},"2":{"class_type":"PreviewAny","inputs":{"source":["1",0],"x":-Infinity}}}}';
    expect((await call(url, '/prompt', { method: 'POST', body, headers: { 'content-type': 'text/plain' } })).status).toBe(200);
  });

  it('refuses bodies above the limit with 413', async () => {
    const { url } = await startTestSandbox({ faults: { maxBodyBytes: 100 } });
    const answer = await post(url, '/prompt', { prompt: plainColour() });
    expect(answer.status).toBe(413);
    expect(answer.text).toContain('Maximum request body size 100 exceeded');
    expect(at((await call(url, '/features')).json, 'max_upload_size')).toBe(100);
  });

  it('behaves like an old server: no jobs API, any prompt id, interrupt without looking at the id', async () => {
    const { url } = await startTestSandbox({ latencyMs: 1, faults: { oldServer: true } });
    const client = await connect(url, 'c');
    expect((await call(url, '/api/jobs')).status).toBe(404);
    const id = await submit(url, sleeping(100_000), { client_id: 'c', prompt_id: 'my-own-id' });
    expect(id).toBe('my-own-id');
    await client.until(({ type }) => type === 'progress');
    await post(url, '/interrupt', { prompt_id: 'somebody-else' });
    await client.ended(id);
    const refused = await post(url, '/prompt', { prompt: { '1': { class_type: 'Nope', inputs: {} } } });
    expect(at(refused.json, 'error', 'type')).toBe('invalid_prompt');
  });

  it('leaves a prompt running for ever when the worker dies', async () => {
    const { url } = await startTestSandbox({ faults: { crashWorker: true } });
    const id = await submit(url, plainColour());
    await expect.poll(async () => at((await call(url, '/queue')).json, 'queue_running', 0, 1)).toBe(id);
    const next = await submit(url, plainColour(2));
    expect(at((await call(url, `/api/jobs/${next}`)).json, 'status')).toBe('pending');
    const { json } = await call(url, '/internal/logs/raw');
    expect(JSON.stringify(at(json, 'entries'))).toContain('Exception in thread Thread-1 (prompt_worker)');
  });

  it('writes sub-folders with a backslash when it plays Windows, and finds the file again by it', async () => {
    const { url } = await startTestSandbox({ faults: { windowsSeparators: true } });
    const client = await connect(url, 'c');
    const id = await submit(url, plainColour(1, 'a/b/c'), { client_id: 'c' });
    await client.ended(id);
    const image = at((await call(url, `/history/${id}`)).json, id, 'outputs', '2', 'images', 0);
    expect(image).toEqual({ filename: 'c_00001_.png', subfolder: 'a\\b', type: 'output' });
    expect((await fetch(`${url}/view?filename=c_00001_.png&subfolder=${encodeURIComponent('a\\b')}`)).status).toBe(200);
    expect(at((await call(url, '/models/loras')).json, 2)).toBe('characters\\draft-hero.safetensors');
  });

  it('says nothing on muted sockets while the work goes on', async () => {
    const { url, faults, ledger } = await startTestSandbox({ faults: { muteSockets: true } });
    const client = await connect(url, 'c');
    await submit(url, plainColour(), { client_id: 'c' });
    await expect.poll(() => ledger()[0]?.outcome).toBe('success');
    expect(client.messages).toEqual([]);
    faults.muteSockets = false;
    const id = await submit(url, plainColour(), { client_id: 'c' });
    expect((await client.ended(id)).data['prompt_id']).toBe(id);
  });

  it('goes on to the end when interrupts are ignored for longer than the prompt takes', async () => {
    const { url, ledger } = await startTestSandbox({ latencyMs: 1, faults: { ignoreInterruptMs: 1_000_000 } });
    const client = await connect(url, 'c');
    const id = await submit(url, sleeping(40), { client_id: 'c' });
    await client.until(({ type }) => type === 'progress');
    await post(url, '/interrupt', { prompt_id: id });
    await client.ended(id);
    expect(ledger()[0]?.outcome).toBe('success');
  });

  it('reports many files and sends previews of several megabytes', async () => {
    const { url } = await startTestSandbox();
    const client = await connect(url, 'c');
    const id = await submit(
      url,
      {
        '1': { class_type: 'SandboxManyOutputs', inputs: { count: 120, filename_prefix: 'm' } },
        '2': { class_type: 'PrimitiveInt', inputs: { value: 1 } },
        '3': { class_type: 'SandboxBigPreview', inputs: { value: ['2', 0], side: 1200 } },
        '4': { class_type: 'PreviewAny', inputs: { source: ['3', 0] } },
      },
      { client_id: 'c' },
    );
    await client.ended(id);
    expect(at((await call(url, `/history/${id}`)).json, id, 'outputs', '1', 'images')).toHaveLength(120);
    expect(client.binaries[0]?.length).toBeGreaterThan(4_000_000);
  });
});
