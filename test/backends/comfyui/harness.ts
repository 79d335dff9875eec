/** A fake server, a backend with short times, and a recorder of what a followed attempt reports. */
import { randomUUID } from 'node:crypto';
import { onTestFinished } from 'vitest';
import type { Attempt, Backend, BackendEvent, FollowOptions } from '#backends/contract.ts';
import { createComfyUIBackend } from '#backends/comfyui/backend.ts';
import type { ComfyUIOptions, Timeouts } from '#backends/comfyui/settings.ts';
import { CallsheetError } from '#protocol/errors.ts';
import { startFakeComfyUI } from '../../fakes/fake-comfyui.ts';
import type { FakeComfyUI, FakeOptions } from '../../fakes/fake-comfyui.ts';

/** Short enough for tests; every order between them is that of the real ones. */
export const QUICK: Partial<Timeouts> = {
  absentGapMs: 30,
  pollMs: 400,
  pollOfflineMs: 40,
  historyBackoffMs: [0, 10, 30, 60],
  socketReadyMs: 500,
  pingMs: 30,
  silenceMs: 100,
  probeMs: 100,
  slowMs: 200,
  reconnectMinMs: 10,
  reconnectMaxMs: 60,
  progressMs: 5,
  cancelStepMs: 10,
  interruptRepeatMs: 30,
};

export async function startFake(options: FakeOptions = {}): Promise<FakeComfyUI> {
  const fake = await startFakeComfyUI(options);
  onTestFinished(() => fake.close());
  return fake;
}

export function connect(url: string, options: Partial<ComfyUIOptions> = {}): Backend {
  const backend = createComfyUIBackend({ id: 'main', url, ...options, timeouts: { ...QUICK, ...options.timeouts } });
  onTestFinished(() => backend.close());
  return backend;
}

export function newAttempt(): Attempt {
  return { runId: 'run-1', step: 'base', item: 0, attempt: 1, promptId: randomUUID(), backendId: 'main' };
}

export const GRAPH = JSON.stringify({
  1: { class_type: 'EmptyImage', inputs: { width: 8, height: 4, batch_size: 1, color: 16711680 } },
  2: { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'shot' } },
});
export const PAYLOAD = { text: GRAPH, outputNodes: [] };

export type Terminal = Extract<BackendEvent, { type: 'finished' | 'failed' | 'interrupted' | 'lost' }>;

export interface Recorder {
  readonly events: BackendEvent[];
  /** The types in order, progress left out, which comes as often as it likes. */
  types(): string[];
  readonly end: Promise<Terminal>;
  /** Resolves with the first event of the type, also one that came before. */
  saw(type: BackendEvent['type'], status?: string): Promise<BackendEvent>;
  stop(): void;
}

export function record(backend: Backend, attempt: Attempt, options: Partial<FollowOptions> = {}): Recorder {
  const events: BackendEvent[] = [];
  const waiting = new Set<(event: BackendEvent) => void>();
  const controller = new AbortController();
  const until = (wanted: (event: BackendEvent) => boolean): Promise<BackendEvent> =>
    new Promise((resolve) => {
      const before = events.find(wanted);
      if (before !== undefined) resolve(before);
      else {
        const check = (event: BackendEvent): void => {
          if (!wanted(event)) return;
          waiting.delete(check);
          resolve(event);
        };
        waiting.add(check);
      }
    });
  const { promise: end, resolve: ended } = Promise.withResolvers<Terminal>();
  backend.follow(attempt, {
    acknowledged: false,
    signal: controller.signal,
    ...options,
    onEvent(event) {
      events.push(event);
      for (const check of waiting) check(event);
      if (isTerminal(event)) ended(event);
    },
  });
  onTestFinished(() => controller.abort());
  return {
    events,
    types: () => events.map((event) => event.type).filter((type) => type !== 'progress'),
    end,
    saw: (type, status) =>
      until((event) => event.type === type && (status === undefined || (event.type === 'contact' && event.status === status))),
    stop: () => controller.abort(),
  };
}

export function isTerminal(event: BackendEvent): event is Terminal {
  return event.type === 'finished' || event.type === 'failed' || event.type === 'interrupted' || event.type === 'lost';
}

/** The error of a call that has to fail. */
export async function failure(call: Promise<unknown>): Promise<CallsheetError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof CallsheetError) return error;
    throw error;
  }
  throw new Error('The call was expected to fail.');
}
