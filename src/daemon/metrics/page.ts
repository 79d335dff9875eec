/**
 * The page of metrics in Prometheus' text format, by prom-client, which is loaded with the first page: a daemon that nobody scrapes pays for
 * neither it nor what it measures of the process.
 */
import type { Metric, Registry } from 'prom-client';
import { METRICS, type MetricName } from './catalogue.ts';
import type { Counters } from './counters.ts';
import type { Source } from './sources.ts';
import type { Sample } from './tally.ts';

export interface MetricsPage {
  read(): Promise<{ readonly contentType: string; readonly text: string }>;
}

type Values = Partial<Record<MetricName, readonly Sample[]>>;

export function createMetricsPage(counters: Counters, sources: readonly Source[]): MetricsPage {
  let loading: Promise<Registry> | undefined;
  /** Of the page that is being made. */
  let values: Values = {};
  let making: ReturnType<MetricsPage['read']> | undefined;

  async function load(): Promise<Registry> {
    const { collectDefaultMetrics, Registry: Made } = await import('prom-client');
    const registry = new Made();
    for (const name of Object.keys(METRICS) as MetricName[]) registry.registerMetric(readOnly(name, () => values[name] ?? []));
    collectDefaultMetrics({ register: registry });
    return registry;
  }

  async function make(): ReturnType<MetricsPage['read']> {
    // One that failed is forgotten, so that the next page tries again.
    loading ??= load().catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    const registry = await loading;
    const read = await Promise.all(sources.map((source) => readSource(source, counters)));
    const counted = Object.entries(counters.tallies).map(([name, tally]) => [name, tally.samples()]);
    values = Object.assign({}, ...read, Object.fromEntries(counted)) as Values;
    return { contentType: registry.contentType, text: await registry.metrics() };
  }

  return {
    // Two that ask at once are given the same page.
    read() {
      making ??= make().finally(() => (making = undefined));
      return making;
    },
  };
}

// --- helpers ---

/** A metric of prom-client's registry whose values come from elsewhere: of its classes only `get` is called. */
function readOnly(name: MetricName, samples: () => readonly Sample[]): Metric {
  const { type, help, labels } = METRICS[name];
  const get = async () => ({ name, help, type, aggregator: 'sum', values: samples() });
  const reset = (): void => undefined;
  return { name, help, type, labelNames: labels, aggregator: 'sum', get, reset } as unknown as Metric;
}

async function readSource({ name, read }: Source, counters: Pick<Counters, 'scrapeFailures'>): Promise<Values> {
  try {
    return await read();
  } catch {
    counters.scrapeFailures.add({ source: name });
    return {};
  }
}
