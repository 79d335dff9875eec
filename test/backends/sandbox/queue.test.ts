import { describe, expect, it } from 'vitest';
import { at, call, connect, post, submit, textOf } from './client.ts';
import { plainColour, sleeping, startTestSandbox } from './graphs.ts';

const LONG = 100_000;

describe('the queue of the sandbox', () => {
  it('runs one prompt at a time, lowest number first, and front before all', async () => {
    const { url, ledger } = await startTestSandbox({ latencyMs: 1 });
    const client = await connect(url, 'c');
    const running = await submit(url, sleeping(LONG), { client_id: 'c' });
    await client.until(({ type }) => type === 'progress');
    const second = await submit(url, plainColour(1));
    const first = await submit(url, plainColour(2), { number: 0.5 });
    const front = await submit(url, plainColour(3), { front: true });
    const queue = await call(url, '/queue');
    expect(at(queue.json, 'queue_running', 0, 1)).toBe(running);
    const pending = at(queue.json, 'queue_pending');
    expect(Array.isArray(pending) ? pending.map((item) => at(item, 1)) : []).toEqual([front, first, second]);
    expect(at((await call(url, '/prompt')).json, 'exec_info', 'queue_remaining')).toBe(4);
    await post(url, '/interrupt', { prompt_id: running });
    await expect.poll(() => ledger().map(({ prompt_id }) => prompt_id)).toEqual([running, front, first, second]);
  });

  it('takes a canonical prompt id as given and refuses any other', async () => {
    const { url } = await startTestSandbox();
    const id = '0190b8a0-0000-7000-8000-000000000001';
    expect(await submit(url, plainColour(), { prompt_id: id })).toBe(id);
    for (const wrong of [id.toUpperCase(), 'x', 7, `{${id}}`, id.replaceAll('-', '')]) {
      const answer = await post(url, '/prompt', { prompt: plainColour(), prompt_id: wrong });
      expect([answer.status, at(answer.json, 'error', 'type')]).toEqual([400, 'invalid_prompt_id']);
    }
  });

  it('interrupts the running prompt by its id and leaves it in the history as an interrupted error', async () => {
    const { url, ledger } = await startTestSandbox({ latencyMs: 1 });
    const client = await connect(url, 'c');
    const id = await submit(url, sleeping(LONG), { client_id: 'c' });
    await client.until(({ type }) => type === 'progress');
    await post(url, '/interrupt', { prompt_id: '0190b8a0-0000-7000-8000-000000000009' });
    expect(at((await call(url, `/api/jobs/${id}`)).json, 'status')).toBe('in_progress');
    await post(url, '/interrupt', { prompt_id: id });
    await client.ended(id);
    const entry = at((await call(url, `/history/${id}`)).json, id);
    expect(at(entry, 'status', 'status_str')).toBe('error');
    expect(at(entry, 'status', 'messages', 2, 0)).toBe('execution_interrupted');
    expect(at((await call(url, `/api/jobs/${id}`)).json, 'status')).toBe('cancelled');
    expect(ledger()[0]?.outcome).toBe('interrupted');
  });

  it('interrupts whatever runs when the body is empty', async () => {
    const { url } = await startTestSandbox({ latencyMs: 1 });
    const client = await connect(url, 'c');
    const id = await submit(url, sleeping(LONG), { client_id: 'c' });
    await client.until(({ type }) => type === 'progress');
    await call(url, '/interrupt', { method: 'POST' });
    await client.ended(id);
    expect(client.messages.some(({ type }) => type === 'execution_interrupted')).toBe(true);
  });

  it('cancels running and pending jobs through the jobs API and says whether there was anything to cancel', async () => {
    const { url } = await startTestSandbox({ latencyMs: 1 });
    const client = await connect(url, 'c');
    const running = await submit(url, sleeping(LONG), { client_id: 'c' });
    await client.until(({ type }) => type === 'progress');
    const pending = await submit(url, plainColour());
    const cancel = async (id: string): Promise<unknown> =>
      at((await call(url, `/api/jobs/${id}/cancel`, { method: 'POST' })).json, 'cancelled');
    expect(await cancel(pending)).toBe(true);
    expect((await call(url, `/api/jobs/${pending}`)).status).toBe(404);
    expect(await cancel(running)).toBe(true);
    await client.ended(running);
    expect(await cancel(running)).toBe(false);
    expect((await post(url, '/api/jobs/cancel', { job_ids: ['nonsense'] })).status).toBe(400);
  });

  it('removes pending prompts on request and forgets history entries on request', async () => {
    const { url } = await startTestSandbox({ latencyMs: 1 });
    const client = await connect(url, 'c');
    const running = await submit(url, sleeping(LONG), { client_id: 'c' });
    await client.until(({ type }) => type === 'progress');
    const pending = await submit(url, plainColour());
    expect((await post(url, '/queue', { delete: [pending, running, 'unknown'] })).status).toBe(200);
    expect(at((await call(url, '/queue')).json, 'queue_pending')).toEqual([]);
    await post(url, '/interrupt', {});
    await client.ended(running);
    await post(url, '/history', { delete: [running] });
    expect((await call(url, `/history/${running}`)).json).toEqual({});
  });

  it('never shows a prompt in neither queue nor history', async () => {
    const { url } = await startTestSandbox();
    const client = await connect(url, 'c');
    const missing: string[] = [];
    for (let round = 0; round < 20; round++) {
      const id = await submit(url, plainColour(round), { client_id: 'c' });
      for (let done = false; !done;) {
        const job = await call(url, `/api/jobs/${id}`);
        if (job.status === 404) missing.push(id);
        done = at(job.json, 'status') === 'completed';
      }
      await client.ended(id);
    }
    expect(missing).toEqual([]);
  });

  it('keeps 64-bit seeds exact in queue, history and picture', async () => {
    const { url } = await startTestSandbox();
    const client = await connect(url, 'c');
    const body = `{"client_id":"c","prompt":{"1":{"class_type":"PrimitiveInt","inputs":{"value":9007199254740993}},"2":{"class_type":"PreviewAny","inputs":{"source":["1",0]}}}}`;
    const id = textOf(at((await call(url, '/prompt', { method: 'POST', body })).json, 'prompt_id'));
    await client.ended(id);
    const { text } = await call(url, `/history/${id}`);
    expect(text).toContain('"value":9007199254740993');
    expect(text).toContain('"text":["9007199254740993"]');
  });

  it('windows the history by max_items and offset', async () => {
    const { url } = await startTestSandbox();
    const client = await connect(url, 'c');
    const ids: string[] = [];
    for (let round = 0; round < 4; round++) {
      const id = await submit(url, plainColour(round), { client_id: 'c' });
      await client.ended(id);
      ids.push(id);
    }
    const keys = async (query: string): Promise<string[]> => Object.keys((await call(url, `/history${query}`)).json ?? {});
    expect(await keys('')).toEqual(ids);
    expect(await keys('?max_items=2')).toEqual(ids.slice(2));
    expect(await keys('?max_items=2&offset=1')).toEqual(ids.slice(1, 3));
    expect(await keys('?offset=9')).toEqual([]);
  });

  it('strips credentials for paid nodes from queue and history', async () => {
    const { url } = await startTestSandbox();
    const client = await connect(url, 'c');
    const id = await submit(url, plainColour(), {
      client_id: 'c',
      extra_data: { api_key_comfy_org: 'sk-1', auth_token_comfy_org: 't', mine: { run: 1 } },
    });
    await client.ended(id);
    const { text, json } = await call(url, `/history/${id}`);
    expect(text).not.toContain('sk-1');
    expect(at(json, id, 'prompt', 3, 'mine')).toEqual({ run: 1 });
  });
});
