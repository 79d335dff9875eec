/** What a real ComfyUI 0.33 answered, sent and remembered for a prompt, the sandbox answers, sends and remembers, too. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { at, call, connect, post, textOf } from './client.ts';
import { startTestSandbox } from './graphs.ts';

const FOLDER = new URL('../../fixtures/comfyui-traffic/', import.meta.url);
const CASES = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));

/** Ids, times, counters and tooltips are each server's own; Python tracebacks and the order of a set are nobody's contract. */
function comparable(value: unknown, promptId: string, key = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => comparable(item, promptId));
  if (typeof value === 'object' && value !== null) {
    const kept = Object.entries(value).filter(([name]) => name !== 'tooltip' && name !== 'traceback');
    return Object.fromEntries(kept.map(([name, item]) => [name, comparable(item, promptId, name)]));
  }
  if (/^(timestamp|create_time|.*_time|number|priority|sid)$/.test(key)) return key;
  if (typeof value !== 'string') return value;
  return value === promptId ? 'PROMPT' : value.replace(/temp_\w+_\d{5}_/, 'temp').replace(/_\d{5}_\./, '_N_.');
}

/** A refused prompt has none. */
function idIn(answer: unknown): string {
  const id = at(answer, 'prompt_id');
  return typeof id === 'string' ? id : '';
}

/** The first part of the stored tuple is the queue's own number. */
function withoutNumber(entry: unknown): unknown {
  const prompt = at(entry, 'prompt');
  return { ...(entry as object), prompt: Array.isArray(prompt) ? prompt.slice(1, 4) : prompt };
}

describe('recorded traffic of a real ComfyUI', () => {
  for (const name of CASES) {
    it(`answers ${name.replace('.json', '')} as it was recorded`, async () => {
      const recorded: unknown = JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8'));
      const { url } = await startTestSandbox();
      const client = await connect(url, textOf(at(recorded, 'request', 'client_id')));
      const answer = await post(url, '/prompt', at(recorded, 'request'));
      const ours = idIn(answer.json);
      const theirs = idIn(at(recorded, 'post_prompt_response'));
      expect(answer.status).toBe(at(recorded, 'post_prompt_status'));
      expect(comparable(answer.json, ours)).toEqual(comparable(at(recorded, 'post_prompt_response'), theirs));
      if (answer.status !== 200) return;

      await client.ended(ours);
      const history = await call(url, `/history/${ours}`);
      expect(comparable(withoutNumber(at(history.json, ours)), ours)).toEqual(
        comparable(withoutNumber(at(recorded, 'history', theirs)), theirs),
      );
      const job = await call(url, `/api/jobs/${ours}`);
      expect(comparable(job.json, ours)).toEqual(comparable(at(recorded, 'GET /api/jobs/{id}'), theirs));
      expect(comparable(client.messages, ours)).toEqual(comparable(at(recorded, 'ws_messages'), theirs));
    });
  }
});
