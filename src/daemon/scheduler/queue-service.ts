/** What clients may do with the queue and its backends. */
import { canonicalHashOf } from '#graph/hash.ts';
import type { BackendDetail, QueueState } from '#protocol/methods/queue.ts';
import type { BackendView } from '#protocol/views.ts';
import type { Backend } from '#backends/contract.ts';
import type { BackendMonitor } from '../backend-monitor.ts';
import type { Offers } from '../offers.ts';
import type { RequestKeys } from '../request-keys.ts';
import { backendById } from '../takers.ts';
import type { Losses } from './losses.ts';
import type { Scheduler } from './contract.ts';

export interface QueueService {
  status(): QueueState;
  /** Nothing begins and nothing is sent until `resume`, across restarts. What runs goes on. */
  pause(requestKey?: string): Promise<QueueState>;
  resume(requestKey?: string): Promise<QueueState>;
  backends(): readonly BackendView[];
  /** Throws BACKEND_NOT_FOUND. */
  backend(id: string): BackendDetail;
  /** Throws BACKEND_NOT_FOUND, BACKEND_UNREACHABLE, BACKEND_HTTP. */
  free(id: string, requestKey?: string): Promise<{ readonly asked: boolean }>;
  /** Gives up what runs on a backend that does not answer. Throws BACKEND_NOT_FOUND, BACKEND_ANSWERS. */
  assumeLost(id: string, requestKey?: string): Promise<{ readonly attempts: number }>;
}

export interface QueueServiceOptions {
  readonly backends: readonly Backend[];
  readonly scheduler: Scheduler;
  readonly losses: Pick<Losses, 'assume'>;
  readonly monitor: Pick<BackendMonitor, 'views' | 'ask'>;
  readonly offers: Pick<Offers, 'known'>;
  readonly keys: RequestKeys;
}

export function createQueueService({ backends, scheduler, losses, monitor, offers, keys }: QueueServiceOptions): QueueService {
  const once = <T extends object>(requestKey: string | undefined, method: string, params: object, work: () => T | Promise<T>) =>
    keys.once(requestKey, method, canonicalHashOf(params), async () => work(), null);
  const views = (): readonly BackendView[] => monitor.views().map((view) => ({ ...view, ...scheduler.loadOf(view.id) }));
  const viewOf = (id: string): BackendView => {
    const { kind, url } = backendById(backends, id);
    return views().find((view) => view.id === id) ?? { id, kind, url, status: 'unknown', draft: kind === 'sandbox' };
  };
  return {
    status: () => scheduler.status(),
    pause: (requestKey) =>
      once(requestKey, 'queue/pause', {}, async () => {
        await scheduler.pause();
        return scheduler.status();
      }),
    resume: (requestKey) =>
      once(requestKey, 'queue/resume', {}, async () => {
        await scheduler.resume();
        return scheduler.status();
      }),
    backends: views,
    backend(id) {
      const backend = viewOf(id);
      const { info, vram } = offers.known(id);
      return {
        backend,
        attempts: scheduler.on(id).map(({ runId, promptId }) => ({ runId, promptId })),
        ...(info === undefined ? {} : { nodeClasses: info.classes.size }),
        ...(vram === undefined ? {} : { vram }),
      };
    },
    free: (id, requestKey) =>
      once(requestKey, 'backend/free', { id }, async () => {
        await backendById(backends, id).free();
        scheduler.places.freed(id);
        return { asked: true };
      }),
    assumeLost: (id, requestKey) =>
      once(requestKey, 'backend/assume-lost', { id }, async () => {
        const known = viewOf(id);
        // What is shown may be some seconds old.
        await monitor.ask();
        return { attempts: losses.assume({ ...known, ...viewOf(id) }) };
      }),
  };
}
