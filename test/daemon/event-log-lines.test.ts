// A run in the log: every line about it can be found by its ids.
import { Writable } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { createLogger } from '#daemon/log.ts';
import { measuring } from './metrics/measured-engine.ts';
import { type Engine, startEngine } from './supervisor-harness.ts';

let engine: Engine;
afterEach(() => engine.close());

type Line = Readonly<Record<string, unknown>>;

async function logged(
  level: string,
  plan: Engine['fake']['engine']['plan'],
): Promise<{ readonly runId: string; readonly lines: readonly Line[] }> {
  const lines: Line[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)) as Line);
      done();
    },
  });
  engine = await startEngine(measuring(undefined, createLogger(sink, level)).options);
  engine.fake.engine.plan = plan;
  const { runId } = await engine.supervisor.start({ template: 'low-memory', parameters: {} });
  await engine.ended(runId);
  return { runId, lines };
}

describe('what happens to a run', () => {
  it('stands in the log with the ids of run, step, item, attempt and prompt', async () => {
    const { runId, lines } = await logged('trace', () => ({}));
    const [step] = engine.supervisor.get(runId).steps;
    const ids = { runId, step: step?.id, item: 0, attempt: 1, backend: 'comfyui', promptId: step?.attempts[0]?.promptId };
    const ofStep = lines.filter((line) => line['step'] === step?.id && 'status' in line);
    expect(ofStep.map((line) => line['status'])).toEqual(expect.arrayContaining(['submitting', 'running', 'done']));
    for (const line of ofStep) expect(line).toMatchObject(ids);
    expect(lines.every((line) => line['runId'] === runId)).toBe(true);
  });

  it('is short at the usual level: what was sent, what came of it, and why something went wrong', async () => {
    const { lines } = await logged('info', () => ({ error: { node: '1', type: 'ValueError', message: 'the reason' } }));
    const ofItems = lines.filter((line) => String(line['msg']).startsWith('item '));
    expect(ofItems.map(({ status, level, code }) => [status, level, code])).toEqual([
      ['submitting', 30, undefined],
      ['failed', 40, 'NODE_FAILED'],
      ['blocked', 40, undefined],
    ]);
    expect(String(ofItems[1]?.['error'])).toContain('the reason');
    expect(lines.at(-1)).toMatchObject({ msg: 'run status', status: 'failed', code: 'NODE_FAILED' });
  });
});
