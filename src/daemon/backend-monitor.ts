/** Knows how each backend is: asks it now and then, and tells when that changes. */
import { CallsheetError, toErrorData } from '#protocol/errors.ts';
import type { BackendView } from '#protocol/views.ts';
import type { Backend, BackendDescription } from '#backends/contract.ts';
import { workerDead } from '#backends/worker-dead.ts';
import { createWorkerWatch } from './worker-watch.ts';

/** `unresponsive` must show within 6 s (DESIGN 4): a question every 2.5 s that is given up after 3 s. In milliseconds. */
const ASK_EVERY_MS = 2500;
const GIVE_UP_MS = 3000;

/** What a backend said of what changes pixels, and when. */
export interface HeardEngine {
  readonly engine: NonNullable<BackendDescription['engine']>;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export interface BackendMonitor {
  views(): readonly BackendView[];
  /** As it said it last; undefined when it never did. */
  engineOf(id: string): HeardEngine | undefined;
  onChange(listener: (view: BackendView) => void): () => void;
  /** After every answer, and every one that did not come. */
  onHeard(listener: (view: BackendView) => void): () => void;
  /** It answers and executes nothing any more, by this proof; holds until its queue gets shorter or another process answers. */
  workerDied(id: string, proof: string): void;
  /** Asks every backend once; resolves when all have answered or were given up. */
  ask(): Promise<void>;
  close(): void;
}

/** `askMs`: how long a queue stands still before a backend is asked whether anything works it off. */
export function createBackendMonitor(backends: readonly Backend[], askMs: number): BackendMonitor {
  const workers = createWorkerWatch(askMs);
  const views = new Map<string, BackendView>(
    backends.map(({ id, kind, url }) => [id, { id, kind, url, status: 'unknown', draft: kind === 'sandbox' }]),
  );
  const engines = new Map<string, HeardEngine>();
  /** By a clock that does not jump: when each was first asked in vain. */
  const silentSince = new Map<string, number>();
  const listeners = new Set<(view: BackendView) => void>();
  const hearing = new Set<(view: BackendView) => void>();
  const closing = new AbortController();

  const tell = (view: BackendView) => {
    const before = views.get(view.id);
    views.set(view.id, view);
    if (before?.status !== view.status || before.version !== view.version) for (const listener of listeners) listener(view);
    for (const listener of hearing) listener(view);
  };
  const ask = async (backend: Backend): Promise<void> => {
    const { id, kind, url } = backend;
    const asked = performance.now();
    try {
      const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(GIVE_UP_MS)]);
      const { version, draft, queueRemaining, engine } = await backend.describe(signal);
      silentSince.delete(id);
      if (engine !== undefined) engines.set(id, { engine, at: Date.now() });
      const proof = await workers.look(backend, queueRemaining, closing.signal);
      const about = { id, kind, url, version, draft, queueRemaining };
      tell(proof === undefined ? { ...about, status: 'ready' } : { ...about, status: 'worker-dead', error: workerDead(backend, proof) });
    } catch (error) {
      if (closing.signal.aborted) return;
      const status = statusOf(error);
      if (status === 'unresponsive') silentSince.set(id, silentSince.get(id) ?? asked);
      else workers.gone(id);
      const told =
        status === 'unresponsive' && isOurs(error) ? silence(backend, performance.now() - (silentSince.get(id) ?? asked)) : error;
      tell({ id, kind, url, status, draft: kind === 'sandbox', error: toErrorData(told) });
    }
  };
  const askAll = async () => {
    await Promise.all(backends.map((backend) => ask(backend)));
  };
  const timer = setInterval(() => void askAll(), ASK_EVERY_MS);
  timer.unref();
  return {
    views: () => [...views.values()],
    engineOf: (id) => engines.get(id),
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    onHeard(listener) {
      hearing.add(listener);
      return () => void hearing.delete(listener);
    },
    workerDied(id, proof) {
      workers.proven(id, proof);
      const view = views.get(id);
      const backend = backends.find((one) => one.id === id);
      if (view?.status === 'ready' && backend !== undefined) tell({ ...view, status: 'worker-dead', error: workerDead(backend, proof) });
    },
    ask: askAll,
    close() {
      clearInterval(timer);
      closing.abort();
    },
  };
}

/** The question was given up because no answer came. */
function isOurs(error: unknown): boolean {
  return error instanceof CallsheetError && error.code === 'CANCELLED';
}

function silence({ id, url }: Backend, ms: number): CallsheetError {
  const message = `The backend at ${url} has not answered for ${String(Math.max(1, Math.round(ms / 1000)))} s.`;
  const hint = `It loads a model, stands still, or its machine cannot be reached. Its work is waited for; if it is gone for good: callsheet backends lost ${id}`;
  return new CallsheetError('BACKEND_UNREACHABLE', message, { hint });
}

/** Only a refused connection is `unreachable`; silence may be a server that loads a model. */
function statusOf(error: unknown): BackendView['status'] {
  if (!(error instanceof CallsheetError)) return 'unresponsive';
  if (error.code === 'BACKEND_NOT_COMFYUI') return 'not-comfyui';
  const { cause } = error;
  const isRefused = typeof cause === 'object' && cause !== null && 'code' in cause && cause.code === 'ECONNREFUSED';
  return isRefused ? 'unreachable' : 'unresponsive';
}
