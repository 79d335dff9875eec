/** An engine whose runs are measured as the daemon measures them, and the page of it. */
import pino from 'pino';
import type { Logger } from '#daemon/log.ts';
import { createTelemetry, type Telemetry } from '#daemon/telemetry.ts';
import type { TracingEndpoint } from '#daemon/tracing/endpoint.ts';
import type { DaemonStatus } from '#protocol/methods/system.ts';
import type { EngineOptions } from '../supervisor-harness.ts';

export interface Measuring {
  /** For the engine. Each supervisor is measured anew, as by a process of its own. */
  readonly options: Pick<EngineOptions, 'wrapStore' | 'watch' | 'follow'>;
  /** Of the newest. */
  readonly telemetry: () => Telemetry;
}

export function measuring(tracing?: TracingEndpoint, log: Logger = pino({ level: 'silent' })): Measuring {
  let telemetry: Telemetry;
  return {
    telemetry: () => telemetry,
    options: {
      wrapStore(store) {
        telemetry = createTelemetry({
          config: { dataDir: '/nowhere', tracing },
          identity: { version: '0.0.0', instance: 'test' },
          log,
        });
        return telemetry.watchStore(store);
      },
      watch: (span) => telemetry.watch(span),
      follow: (supervisor) => telemetry.follow(supervisor),
    },
  };
}

/** A daemon at rest, for what the page reads of its status. */
export const STATUS: DaemonStatus = {
  version: '0.0.0',
  protocol: 1,
  pid: 1,
  instance: 'test',
  epoch: 'e',
  startedAt: 0,
  uptimeSeconds: 0,
  dataDir: '/nowhere',
  outputDir: '/nowhere',
  templateDirs: [],
  roots: [],
  runs: { open: 0, queued: 0, active: 0, held: 0, recovering: 0 },
  queue: { paused: false, waitingRuns: 0, waitingItems: 0 },
  storage: { status: 'ready' },
  cache: { entries: 0, bytes: 0, limit: 0, hits: 0, misses: 0 },
  templates: { known: 0, runnable: 0, compiled: 0, compiledBytes: 0, compiledLimit: 0, sources: 0, sourceBytes: 0 },
  connections: 0,
  subscriptions: 0,
  refused: {},
  position: 0,
};
