/** The table of docs/retries.md, row by row: a payload goes in as the backend sent it, and its class comes out. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withGrace } from '#actors/grace.ts';
import { createLeaveDead, type LeaveDeadOptions } from '#actors/leave-dead.ts';
import { nodeFailure } from '#backends/comfyui/failures.ts';
import { isFields } from '#backends/comfyui/replies.ts';
import type { Fields } from '#backends/comfyui/replies.ts';
import { workerDead } from '#backends/worker-dead.ts';
import { LOST, REMOVED } from '#machines/step-ends.ts';
import { CallsheetError, type ErrorData, ERRORS } from '#protocol/errors.ts';
import { retryAfterMs, retryClass } from '#protocol/retry-class.ts';
import type { Mode } from '../../fakes/fake-comfyui.ts';
import { connect, failure, newAttempt, PAYLOAD, startFake } from './harness.ts';

const FIXTURES = join(import.meta.dirname, '../../fixtures');

function recorded(name: string): Fields {
  const value: unknown = JSON.parse(readFileSync(join(FIXTURES, `${name}.json`), 'utf8'));
  if (!isFields(value)) throw new Error(`${name} is no recording`);
  return value;
}

/** What the backend makes of a node's exception. */
function raised(name: string): ErrorData {
  const error = recorded(`comfyui-failures/${name}`)['execution_error'];
  if (!isFields(error)) throw new Error(`${name} holds no execution_error`);
  return nodeFailure(error);
}

/** What the backend makes of an answer to its POST. */
async function answered(mode: Mode): Promise<ErrorData> {
  const fake = await startFake();
  fake.misbehave({ method: 'POST', path: /^\/prompt$/, mode });
  return (await failure(connect(fake.url).submit(newAttempt(), PAYLOAD))).data;
}

const reply = (status: number, type: string, body: string, headers: Record<string, string> = {}): Mode => ({
  kind: 'reply',
  status,
  type,
  body,
  headers,
});
const page = (status: number, headers?: Record<string, string>) =>
  reply(status, 'text/html', `<html><head><title>${String(status)}</title></head><body><center>nginx</center></body></html>`, headers);

async function closedPort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${String(typeof address === 'object' ? address?.port : 0)}`;
}

const refused = async () => (await failure(connect(await closedPort()).submit(newAttempt(), PAYLOAD))).data;

describe('transient errors', () => {
  it('[R1] a refused connection', async () => {
    expect(await refused()).toMatchObject({ code: 'BACKEND_UNREACHABLE' });
    expect(retryClass(await refused())).toBe('transient');
  });

  it('[R2] a connection that breaks', async () => {
    const error = await answered({ kind: 'reset' });
    expect([error.code, retryClass(error)]).toEqual(['BACKEND_UNREACHABLE', 'transient']);
  });

  it.each([502, 503, 504])('[R3] a proxy without its server (%i)', async (status) => {
    const error = await answered(page(status, { 'retry-after': '7' }));
    expect([error.code, retryClass(error), retryAfterMs(error)]).toEqual(['BACKEND_UNREACHABLE', 'transient', 7000]);
  });

  it('[R4] a proxy that fails itself', async () => {
    const error = await answered(page(500));
    expect([error.code, retryClass(error), retryAfterMs(error)]).toEqual(['BACKEND_HTTP', 'transient', 0]);
  });

  it('[R5] a proxy that asks to come later, in seconds or with a date', async () => {
    const error = await answered(page(429, { 'retry-after': '3600' }));
    expect([error.code, retryClass(error), retryAfterMs(error)]).toEqual(['BACKEND_HTTP', 'transient', 3_600_000]);
    const dated = await answered(page(429, { 'retry-after': new Date(Date.now() + 60_000).toUTCString() }));
    expect(retryAfterMs(dated)).toBeGreaterThan(30_000);
    expect(retryAfterMs(dated)).toBeLessThanOrEqual(60_000);
    expect(retryAfterMs(await answered(page(429, { 'retry-after': 'soon' })))).toBe(0);
  });

  it('[R6] a proven restart', () => {
    expect([LOST.code, retryClass(LOST)]).toEqual(['BACKEND_RESTARTED', 'transient']);
  });

  it('[R9] a stall that the policy interrupts', () => {
    const { data } = new CallsheetError('STEP_STALLED', 'It does not move.');
    expect(retryClass(data)).toBe('transient');
  });

  it('[R7] an upload that the server fails to take', async () => {
    const { status, content_type: type, body } = recorded('comfyui-failures/http_500');
    const fake = await startFake();
    fake.misbehave({ method: 'POST', path: /^\/upload\/image$/, mode: reply(Number(status), String(type), String(body)) });
    const path = join(FIXTURES, 'comfyui-failures/value.json');
    const file = { path, sha256: 'a'.repeat(64), name: 'value.json', mediaType: 'application/json' };
    const { data } = await failure(connect(fake.url).upload(file));
    expect([data.code, retryClass(data)]).toEqual(['UPLOAD_FAILED', 'transient']);
  });
});

describe('errors that were waited for', () => {
  it('[R8] are not waited for again', async () => {
    const error = CallsheetError.from(await refused());
    const { data } = await failure(withGrace({ graceMs: 20, retryMs: 5 }, new AbortController().signal, () => Promise.reject(error)));
    expect(data).toMatchObject({ code: 'BACKEND_UNREACHABLE', message: error.message, details: { waitedMs: 20 } });
    expect(retryClass(data)).toBe('permanent');
  });
});

describe('errors of memory', () => {
  it.each([
    ['R10', 'cuda_oom', 'torch.OutOfMemoryError'],
    ['R11', 'hip_oom', 'torch.OutOfMemoryError'],
    ['R12', 'mps_oom', 'RuntimeError'],
    ['R13', 'accelerator_oom', 'RuntimeError'],
    ['R14', 'cpu_oom', 'RuntimeError'],
    ['R15', 'numpy_oom', 'numpy._core._exceptions._ArrayMemoryError'],
    ['R16', 'python_memory', 'MemoryError'],
  ])('[%s] %s', (_, name, exceptionType) => {
    const error = raised(name);
    expect(error).toMatchObject({ code: 'OUT_OF_MEMORY', node: '2', details: { exceptionType } });
    expect(retryClass(error)).toBe('memory');
  });

  it.each([
    ['RuntimeError', 'Could not allocate tensor with 1073741824 bytes. There is not enough GPU video memory available!'],
    ['torch.cuda.OutOfMemoryError', 'CUDA out of memory. Tried to allocate 2.00 GiB'],
    ['RuntimeError', 'CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`'],
    ['numpy.core._exceptions.MemoryError', ''],
  ])('[R17] %s: %s', (type, said) => {
    const error = nodeFailure({ node_id: '3', node_type: 'KSampler', exception_type: type, exception_message: said });
    expect([error.code, retryClass(error)]).toEqual(['OUT_OF_MEMORY', 'memory']);
  });
});

describe('permanent errors', () => {
  it('[R20] a class that the server lacks', async () => {
    const { status, content_type: type, body } = recorded('comfyui-failures/http_400_class');
    const error = await answered(reply(Number(status), String(type), String(body)));
    expect([error.code, retryClass(error)]).toEqual(['PROMPT_REJECTED', 'permanent']);
  });

  it.each(['err_enum_not_in_list', 'err_above_max', 'err_bad_link_slot', 'err_cycle', 'err_missing_image_file', 'err_unknown_class'])(
    '[R21] %s',
    async (name) => {
      const { post_prompt_status: status, post_prompt_response: body } = recorded(`comfyui-traffic/${name}`);
      const error = await answered(reply(Number(status), 'application/json', JSON.stringify(body)));
      expect([error.code, retryClass(error)]).toEqual(['PROMPT_REJECTED', 'permanent']);
    },
  );

  it.each([
    ['R22', 'value', 'ValueError'],
    ['R23', 'file', 'FileNotFoundError'],
    ['R24', 'shapes', 'RuntimeError'],
    ['R25', 'network', 'urllib.error.URLError'],
  ])('[%s] %s', (_, name, exceptionType) => {
    const error = raised(name);
    expect(error).toMatchObject({ code: 'NODE_FAILED', node: '2', details: { exceptionType } });
    expect(retryClass(error)).toBe('permanent');
  });

  it('[R26] ComfyUI that fails while it takes the prompt in', async () => {
    const { status, content_type: type, body } = recorded('comfyui-failures/http_500');
    const error = await answered(reply(Number(status), String(type), String(body)));
    expect([error.code, retryClass(error)]).toEqual(['BACKEND_HTTP', 'permanent']);
  });

  it.each([401, 403, 413])('[R27] a proxy that says no (%i)', async (status) => {
    const error = await answered(page(status, { 'retry-after': '1' }));
    expect([error.code, retryClass(error)]).toEqual(['BACKEND_HTTP', 'permanent']);
  });

  it.each([404, 200])('[R28] another program (%i)', async (status) => {
    const error = await answered(page(status));
    expect([error.code, retryClass(error)]).toEqual(['BACKEND_NOT_COMFYUI', 'permanent']);
  });

  it('[R29] what somebody took away', () => {
    expect(retryClass(REMOVED)).toBe('permanent');
    expect(retryClass(new CallsheetError('PROMPT_INTERRUPTED', 'x').data)).toBe('permanent');
  });

  it('[R30] files that are not what they should be', () => {
    expect(['OUTPUT_INVALID', 'OUTPUT_MISSING'].map((code) => retryClass(new CallsheetError(code as 'OUTPUT_MISSING', 'x').data))).toEqual([
      'permanent',
      'permanent',
    ]);
  });

  it('[R31] a prompt at which the workers of two backends died, but not the first of them', async () => {
    const fake = await startFake();
    const { entries } = recorded('comfyui-failures/worker_dead') as unknown as { readonly entries: readonly { readonly m: string }[] };
    fake.log.push(...entries.map(({ m }) => m));
    const backend = connect(fake.url);
    const proof = await backend.diagnose?.(undefined);
    expect(proof).toBe('its own log has the end of that thread');
    const error = workerDead(backend, proof ?? '');
    const attempts = new Map<string, object>();
    const told: ErrorData[] = [];
    const input = { runId: 'r', step: 'a', item: 0, skipped: [], attempt: 1, promptId: 'p1', backendId: 'a' };
    const leave = async (promptId: string) => {
      const options = {
        memory: { attempts },
        input: { ...input, promptId },
        backend: { ...backend, attach: async () => ({ state: 'running' }) },
        attempt: { ...input, promptId },
        signal: new AbortController().signal,
        hasOther: () => true,
        takenOff: () => undefined,
        diedAtWork: async (one: ErrorData) => void told.push(one),
      };
      await createLeaveDead(options as unknown as LeaveDeadOptions).leave(error);
      attempts.set(promptId, { step: 'a', item: 0, promptId, backend: promptId === 'p1' ? 'a' : 'b', error: told.at(-1) });
    };
    await leave('p1');
    await leave('p2');
    expect(told.map(({ code, retryable }) => [code, retryable])).toEqual([
      ['BACKEND_WORKER_DEAD', true],
      ['BACKEND_WORKER_DEAD', false],
    ]);
    expect(retryClass(told[1] ?? error)).toBe('permanent');
  });
});

describe('docs/retries.md', () => {
  const text = readFileSync(join(import.meta.dirname, '../../../docs/retries.md'), 'utf8');
  const rows = [...text.matchAll(/^\| (R\d+) \| .* \| (.*) \| (transient|memory|permanent) \| .* \|$/gm)];

  it('has a test for every row, and no test without one', () => {
    const tests = readFileSync(import.meta.filename, 'utf8');
    const numbers = [...tests.matchAll(/\[?'?(R\d+)\b/g)].map(([, number = '']) => number);
    expect(new Set(numbers)).toEqual(new Set(rows.map(([, number = '']) => number)));
  });

  it('says the class that each code has', () => {
    for (const [, row, codes = '', said] of rows) {
      if (row === 'R8' || row === 'R26' || row === 'R27') continue;
      for (const [, code = ''] of codes.matchAll(/`([A-Z_]+)`/g)) {
        expect(Object.keys(ERRORS)).toContain(code);
        expect([row, retryClass(new CallsheetError(code as keyof typeof ERRORS, 'x').data)]).toEqual([row, said]);
      }
    }
  });
});
