/** Scheduler and losses over one set of backends, put together for the supervisor. */
import type { Places } from '#actors/deps.ts';
import { firstTaker } from '../takers.ts';
import type { BackendMonitor } from '../backend-monitor.ts';
import type { Logger } from '../log.ts';
import type { Offers } from '../offers.ts';
import { type PlaceWaits, watchWaits } from '../place-waits.ts';
import type { RequestKeys } from '../request-keys.ts';
import { createLosses, type LossesOptions } from './losses.ts';
import { createQueueService, type QueueService } from './queue-service.ts';
import type { Scheduler, SchedulerOptions } from './contract.ts';
import { createScheduler } from './scheduler.ts';

export interface DispatchOptions extends Omit<SchedulerOptions, 'demandTaker' | 'lookMs'>, Omit<LossesOptions, 'on' | 'onGivenUp'> {
  readonly store: SchedulerOptions['store'] & LossesOptions['store'];
  readonly log: Pick<Logger, 'info' | 'warn'>;
  readonly monitor: Pick<BackendMonitor, 'views' | 'onHeard' | 'ask' | 'workerDied'>;
  readonly offers: Pick<Offers, 'known' | 'onChange'>;
  readonly keys: RequestKeys;
  readonly retryMs: number;
  readonly waits: PlaceWaits;
}

export interface Dispatch {
  readonly scheduler: Scheduler;
  readonly places: Places;
  readonly queue: QueueService;
  close(): void;
}

export function createDispatch(options: DispatchOptions): Dispatch {
  const { backends, monitor } = options;
  const scheduler = createScheduler({
    ...options,
    lookMs: options.retryMs,
    demandTaker: (memory, kind) => firstTaker(backends, memory.backend ?? undefined, kind),
  });
  const losses = createLosses({ ...options, on: (id) => scheduler.on(id), onGivenUp: (id) => scheduler.givenUp(id) });
  const stop = monitor.onHeard((view) => losses.heard(view));
  return {
    scheduler,
    places: {
      ...scheduler.places,
      acquire: watchWaits(scheduler.places.acquire, options.waits),
      onAssumedLost: (promptId, listener) => losses.onAssumedLost(promptId, listener),
      workerDied: (id, proof) => monitor.workerDied(id, proof),
    },
    queue: createQueueService({ ...options, scheduler, losses }),
    close() {
      stop();
      losses.close();
      scheduler.close();
    },
  };
}
