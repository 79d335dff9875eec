/** A dead worker behind a living HTTP server: said only by proof (ComfyUI#11513). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { connect, newAttempt, PAYLOAD, record, startFake } from './harness.ts';

/** As 0.3.64 printed it, in pieces, with everything before the prompt and after it. */
const RECORDED = join(import.meta.dirname, '../../fixtures/comfyui-failures/worker_dead.json');
const TRACEBACK = (JSON.parse(readFileSync(RECORDED, 'utf8')) as { readonly entries: readonly { readonly m: string }[] }).entries.map(
  ({ m }) => m,
);

describe('diagnose', () => {
  it('says nothing of a prompt that runs for long', async () => {
    const fake = await startFake();
    fake.engine.plan = () => ({ holdAt: '1' });
    fake.log.push('got prompt\n', 'Traceback of a node: File "execution.py", line 510, in execute\n', 'Prompt executed in 2.00 seconds\n');
    const backend = connect(fake.url);
    const attempt = newAttempt();
    record(backend, attempt);
    await backend.submit(attempt, PAYLOAD);
    await fake.engine.held();
    expect(await backend.diagnose?.(attempt)).toBeUndefined();
  });

  it('finds the end that was told of a prompt that still runs', async () => {
    const fake = await startFake();
    fake.engine.plan = () => ({ dies: true });
    const backend = connect(fake.url);
    const attempt = newAttempt();
    const recorder = record(backend, attempt);
    await backend.submit(attempt, PAYLOAD);
    await recorder.saw('started');
    await expect.poll(() => backend.diagnose?.(attempt)).toContain('still has it in its queue as running');
    expect(recorder.types()).not.toContain('finished');
  });

  it('finds the end of the worker in the log of the server, for prompts that wait too, without looking below /api for it', async () => {
    const fake = await startFake();
    fake.engine.plan = () => ({ holdAt: '1' });
    fake.log.push(...TRACEBACK);
    expect(await connect(fake.url).diagnose?.(newAttempt())).toContain('log');
    expect(fake.requests.filter(({ path }) => path.includes('/internal')).map(({ prefixed }) => prefixed)).toEqual([false]);
  });

  it('knows the end of the worker in the words of Python before 3.10, which names no function', async () => {
    const fake = await startFake();
    fake.log.push(
      'Exception in thread Thread-1:\nTraceback (most recent call last):\n',
      '  File "/usr/lib/python3.9/threading.py", line 980, in _bootstrap_inner\n    self.run()\n',
      '  File "/usr/lib/python3.9/threading.py", line 917, in run\n    self._target(*self._args, **self._kwargs)\n',
      '  File "/opt/ComfyUI/main.py", line 164, in prompt_worker\n    q.task_done(item_id)\nKeyError: 0\n',
    );
    expect(await connect(fake.url).diagnose?.(undefined)).toContain('log');
  });

  it('takes neither a printed stack nor the end of another thread for the end of the worker', async () => {
    const fake = await startFake();
    fake.log.push(
      'a node that prints where it is:\n  File "/opt/ComfyUI/main.py", line 253, in prompt_worker\n    e.execute(item[2], prompt_id)\n',
      'Exception in thread Thread-7 (download):\nTraceback (most recent call last):\n',
      '  File "/usr/lib/python3.12/threading.py", line 1073, in _bootstrap_inner\n    self.run()\n',
      '  File "/opt/ComfyUI/custom_nodes/x.py", line 3, in download\nOSError: no route\n',
      '  File "/opt/ComfyUI/main.py", line 253, in prompt_worker\n',
    );
    expect(await connect(fake.url).diagnose?.(undefined)).toBeUndefined();
  });

  it('reads the log once for all that ask at about the same time', async () => {
    const fake = await startFake();
    const backend = connect(fake.url);
    for (const attempt of [newAttempt(), newAttempt(), newAttempt()]) await backend.diagnose?.(attempt);
    expect(fake.requests.filter(({ path }) => path.startsWith('/internal'))).toHaveLength(1);
  });

  it('says nothing where the server gives no log', async () => {
    const fake = await startFake();
    fake.misbehave({ path: /^\/internal/, mode: { kind: 'reply', status: 404 } });
    expect(await connect(fake.url).diagnose?.(newAttempt())).toBeUndefined();
  });
});
