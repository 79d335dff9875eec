import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { startSandbox } from '#backends/sandbox/server.ts';
import { at, call, connect, submit, textOf } from './client.ts';
import { plainColour, sleeping, startTestSandbox } from './graphs.ts';

describe('the ledger and restarts of the sandbox', () => {
  it('writes an execution to disk before its first node runs', async () => {
    const { url, dir } = await startTestSandbox({ latencyMs: 1 });
    const client = await connect(url, 'c');
    const id = await submit(url, sleeping(100_000), { client_id: 'c' });
    await client.until(({ type }) => type === 'execution_start');
    expect(readFileSync(path.join(dir, 'ledger.jsonl'), 'utf8')).toContain(`"event":"start","row":0,"prompt_id":"${id}"`);
    expect(at((await call(url, '/sandbox/ledger')).json, 'executions', 0)).toMatchObject({ prompt_id: id, finished: null, outcome: null });
  });

  it('forgets queue, history, cache and counter at a restart, but not the ledger', async () => {
    const sandbox = await startTestSandbox({ latencyMs: 1 });
    const client = await connect(sandbox.url, 'c');
    const done = await submit(sandbox.url, plainColour(), { client_id: 'c' });
    await client.ended(done);
    const running = await submit(sandbox.url, sleeping(100_000), { client_id: 'c' });
    await client.until(({ type, data }) => type === 'progress' && data['prompt_id'] === running);
    await submit(sandbox.url, plainColour(2));
    await sandbox.restart();
    expect((await call(sandbox.url, '/queue')).json).toEqual({ queue_running: [], queue_pending: [] });
    expect((await call(sandbox.url, '/history')).json).toEqual({});
    const again = await connect(sandbox.url, 'c');
    const repeated = await call(sandbox.url, '/prompt', {
      method: 'POST',
      body: JSON.stringify({ prompt: plainColour(), client_id: 'c' }),
    });
    expect(at(repeated.json, 'number')).toBe(0);
    await again.ended(textOf(at(repeated.json, 'prompt_id')));
    expect(sandbox.ledger().map(({ outcome, nodes }) => [outcome, nodes.length])).toEqual([
      ['success', 2],
      [null, 2],
      ['success', 2],
    ]);
  });

  it('reads the ledger of an earlier process, half a last line included', async () => {
    const first = await startTestSandbox();
    const client = await connect(first.url, 'c');
    const id = await submit(first.url, plainColour(), { client_id: 'c' });
    await client.ended(id);
    await first.close();
    appendFileSync(path.join(first.dir, 'ledger.jsonl'), '{"event":"sta');
    const second = await startSandbox({ dir: first.dir, latencyMs: 0 });
    const next = await submit(second.url, plainColour(3));
    await expect.poll(() => second.ledger()[1]?.outcome).toBe('success');
    await second.close();
    const third = await startSandbox({ dir: first.dir, latencyMs: 0 });
    expect(third.ledger().map(({ prompt_id, outcome }) => [prompt_id, outcome])).toEqual([
      [id, 'success'],
      [next, 'success'],
    ]);
    await third.close();
  });

  it('wipes temp files at start and keeps outputs', async () => {
    const sandbox = await startTestSandbox();
    const client = await connect(sandbox.url, 'c');
    const id = await submit(
      sandbox.url,
      { ...plainColour(), '3': { class_type: 'PreviewImage', inputs: { images: ['1', 0] } } },
      { client_id: 'c' },
    );
    await client.ended(id);
    const temp = textOf(at((await call(sandbox.url, `/history/${id}`)).json, id, 'outputs', '3', 'images', 0, 'filename'));
    expect(existsSync(path.join(sandbox.dir, 'temp', temp))).toBe(true);
    await sandbox.restart();
    expect(existsSync(path.join(sandbox.dir, 'temp', temp))).toBe(false);
    expect(existsSync(path.join(sandbox.dir, 'output', 'plain_00001_.png'))).toBe(true);
  });

  it('refuses a port that is taken', async () => {
    const { port, dir } = await startTestSandbox();
    await expect(startSandbox({ dir: path.join(dir, 'other'), port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});
