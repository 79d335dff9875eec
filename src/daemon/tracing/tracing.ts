/** Traces, where an endpoint is set: one for each run. Whatever becomes of the collector, nothing here waits for it. */
import type { Fact } from '../metrics/facts.ts';
import type { Logger } from '../log.ts';
import type { TracingEndpoint } from './endpoint.ts';
import type { Exporter } from './exporter.ts';
import { type SpanRecord, spanOf } from './span-of.ts';

export interface Tracing {
  fact(fact: Fact): void;
  /** Sends what is left, for a second at most. */
  close(): Promise<void>;
}

export interface TracingOptions {
  readonly endpoint: TracingEndpoint | undefined;
  readonly version: string;
  readonly instance: string;
  readonly log: Pick<Logger, 'warn'>;
}

const LAST_WORDS_MS = 1000;
/** Between two lines of the log about a collector that takes nothing. */
const COMPLAIN_EVERY_MS = 60_000;
/** Spans that wait for the packages to be loaded, at most. */
const MOST_WAITING = 2000;

export function createTracing({ endpoint, version, instance, log }: TracingOptions): Tracing {
  if (endpoint === undefined) return { fact: () => undefined, close: async () => undefined };
  if ('ignored' in endpoint) {
    log.warn({ why: endpoint.ignored }, 'no traces are sent');
    return { fact: () => undefined, close: async () => undefined };
  }
  let exporter: Exporter | undefined;
  let loading: Promise<void> | undefined;
  let waiting: SpanRecord[] = [];
  let complainAt = Number.NEGATIVE_INFINITY;

  function complain(error: unknown): void {
    if (performance.now() < complainAt) return;
    complainAt = performance.now() + COMPLAIN_EVERY_MS;
    log.warn({ err: error }, 'the collector of traces does not take them; they are dropped');
  }

  async function load(url: string): Promise<void> {
    try {
      const { createExporter } = await import('./exporter.ts');
      exporter = createExporter({ url, version, instance, onFailure: complain });
      for (const span of waiting) exporter.add(span);
    } catch (error) {
      complain(error);
    }
    waiting = [];
  }

  return {
    fact(fact) {
      const span = spanOf(fact);
      if (span === undefined) return;
      if (exporter !== undefined) exporter.add(span);
      else if (waiting.length < MOST_WAITING) waiting.push(span);
      loading ??= load(endpoint.url);
    },
    async close() {
      const over = Promise.withResolvers<void>();
      const timer = setTimeout(over.resolve, LAST_WORDS_MS);
      const last = (async () => {
        await loading;
        await exporter?.close();
      })();
      await Promise.race([last.catch(complain), over.promise]);
      clearTimeout(timer);
    },
  };
}
