/** Answers daemon/status. */
import type { DaemonStatus } from '#protocol/methods/system.ts';
import { PROTOCOL_VERSION } from '#protocol/methods/system.ts';
import type { Store } from '#store/types.ts';
import type { TemplateLibrary } from '#templates/library.ts';
import type { DaemonConfig } from './config.ts';
import type { EventHub } from './event-hub.ts';
import type { Refusals } from './refusals.ts';
import type { RunService } from './run-service.ts';

export interface StatusParts {
  readonly config: DaemonConfig;
  /** `startedAt` in milliseconds since 1970. */
  readonly identity: { readonly version: string; readonly instance: string; readonly startedAt: number };
  /** What the start found damaged and mended. */
  readonly recovery: DaemonStatus['recovery'];
  readonly store: Pick<Store, 'epoch' | 'lastPosition'>;
  readonly supervisor: Pick<RunService, 'counts' | 'queue' | 'storage' | 'cache'>;
  readonly library: Pick<TemplateLibrary, 'use'>;
  readonly hub: Pick<EventHub, 'subscriptions'>;
  readonly refusals: Refusals;
  readonly connections: () => number;
}

export function createStatus({
  config,
  identity,
  recovery,
  store,
  supervisor,
  library,
  hub,
  refusals,
  connections,
}: StatusParts): () => DaemonStatus {
  const { dataDir, outputDir, templateDirs, roots } = config;
  // The wall clock may jump; how long we are up it does not change.
  const since = performance.now();
  return () => ({
    ...identity,
    protocol: PROTOCOL_VERSION,
    pid: process.pid,
    epoch: store.epoch,
    uptimeSeconds: Math.floor((performance.now() - since) / 1000),
    dataDir,
    outputDir,
    templateDirs,
    roots,
    runs: supervisor.counts(),
    queue: supervisor.queue.status(),
    storage: supervisor.storage(),
    cache: supervisor.cache.use(),
    templates: library.use(),
    connections: connections(),
    subscriptions: hub.subscriptions,
    refused: refusals.counts(),
    position: store.lastPosition(),
    ...(recovery === undefined ? {} : { recovery }),
  });
}
