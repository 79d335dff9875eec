/** A whole engine without its door: real store, library, machines and comfyui backend over a fake ComfyUI. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import { createComfyUIBackend } from '#backends/comfyui/backend.ts';
import { createSupervisor, type Supervisor } from '#daemon/supervisor.ts';
import { CallsheetError } from '#protocol/errors.ts';
import type { RunEvent } from '#protocol/events.ts';
import { RUN_ENDS, type RunView } from '#protocol/views.ts';
import { openStore } from '#store/store.ts';
import type { Store } from '#store/types.ts';
import { createLibrary } from '#templates/library.ts';
import { type FakeComfyUI, startFakeComfyUI } from '../fakes/fake-comfyui.ts';

const TEMPLATES = fileURLToPath(new URL('../fixtures/templates', import.meta.url));

export interface Engine {
  readonly fake: FakeComfyUI;
  readonly supervisor: Supervisor;
  readonly store: Store;
  readonly events: readonly RunEvent[];
  /** Stops the supervisor as a graceful daemon does and starts a new one over the same data. */
  restart(): Promise<void>;
  /** Resolves with the run once it has ended. */
  ended(runId: string): Promise<RunView>;
  close(): Promise<void>;
}

export async function startEngine(options: { readonly graceMs?: number } = {}): Promise<Engine> {
  const dir = mkdtempSync(join(tmpdir(), 'callsheet-engine-'));
  const fake = await startFakeComfyUI();
  const events: RunEvent[] = [];
  const library = createLibrary([TEMPLATES]);
  await library.refresh();
  let store = openStore({ dir });
  let supervisor = start();

  function start(): Supervisor {
    const timeouts = { absentGapMs: 30, pollMs: 200, pollOfflineMs: 40, reconnectMinMs: 10, reconnectMaxMs: 50, cancelStepMs: 20 };
    const made = createSupervisor({
      store,
      library,
      backends: [createComfyUIBackend({ id: 'comfyui', url: fake.url, timeouts })],
      outputDir: join(dir, 'output'),
      resolveMedia: () => (value) => Promise.reject(new CallsheetError('PATH_NOT_ALLOWED', `${value} is not allowed here.`)),
      graceMs: options.graceMs ?? 10_000,
      retryMs: 20,
      log: pino({ level: 'silent' }),
      onStorageFailure: (error) => {
        throw error;
      },
    });
    made.onEvents((batch) => void events.push(...batch));
    made.resume();
    return made;
  }

  return {
    fake,
    get supervisor() {
      return supervisor;
    },
    get store() {
      return store;
    },
    events,
    async restart() {
      await supervisor.close();
      store.close();
      store = openStore({ dir });
      supervisor = start();
    },
    ended(runId) {
      return new Promise((resolve) => {
        const look = () => {
          const view = supervisor.get(runId);
          if (!RUN_ENDS.includes(view.status)) return false;
          resolve(view);
          return true;
        };
        if (look()) return;
        const stop = supervisor.onEvents(() => {
          if (look()) stop();
        });
      });
    },
    async close() {
      await supervisor.close();
      store.close();
      await fake.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
