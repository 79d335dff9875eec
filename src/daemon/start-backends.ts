/** Makes the backends of the configuration. The sandbox is started in this process and driven like any other ComfyUI. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Backend } from '#backends/contract.ts';
import type { BackendSpec } from './backend-spec.ts';
import type { Logger } from './log.ts';

export interface StartedBackends {
  readonly backends: readonly Backend[];
  /** Stops the sandboxes; the backends themselves are closed by whoever uses them. */
  close(): Promise<void>;
}

export async function startBackends(specs: readonly BackendSpec[], dataDir: string, log: Logger): Promise<StartedBackends> {
  const { createComfyUIBackend } = await import('#backends/comfyui/backend.ts');
  const sandboxes: { close(): Promise<void> }[] = [];
  const backends: Backend[] = [];
  for (const spec of specs) {
    const backendLog = log.child({ backend: spec.id });
    if (spec.kind === 'comfyui') {
      backends.push(createComfyUIBackend({ ...spec, log: backendLog }));
      continue;
    }
    // Loaded only when it is used: it brings the image library.
    const { startSandbox } = await import('#backends/sandbox/server.ts');
    // A page in a browser can not send it, so no page reaches the sandbox by its port alone.
    const secret = { header: 'x-callsheet-sandbox', value: randomBytes(32).toString('base64url') };
    const sandbox = await startSandbox({ dir: join(dataDir, 'sandbox', spec.id), secret, log: (line) => backendLog.debug(line) });
    sandboxes.push(sandbox);
    const headers = { [secret.header]: secret.value };
    backends.push(createComfyUIBackend({ id: spec.id, kind: 'sandbox', url: sandbox.url, headers, log: backendLog }));
  }
  return {
    backends,
    async close() {
      await Promise.all(sandboxes.map((sandbox) => sandbox.close()));
    },
  };
}
