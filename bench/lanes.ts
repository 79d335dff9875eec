/** Several clients at once, each with one call after the other, as many people do it: how long every answer takes. */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type Client, connect, type Endpoint } from '#protocol/client.ts';
import { CallsheetError } from '#protocol/errors.ts';
import { percentile, show } from './numbers.ts';

/** Milliseconds from a call to its answer. */
export interface Times {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly perSecond: number;
}

export interface Lanes {
  /** Starts so many runs of `template` in all, over three priorities, with a request key as `callsheet run` gives one. */
  submit(template: string, count: number): Promise<Times>;
  /** Asks for so many signs of life: what a request that does nothing takes on this machine at this moment. */
  ping(count: number): Promise<Times>;
  close(): Promise<void>;
}

export async function openLanes({ url, key }: Endpoint, lanes: number): Promise<Lanes> {
  const clients = await Promise.all(Array.from({ length: lanes }, (_, lane) => connect({ url, key, name: `lane-${String(lane)}` })));
  const timed = async (count: number, ask: (client: Client, nth: number) => Promise<unknown>): Promise<Times> => {
    const times: number[] = [];
    let left = count;
    const work = async (client: Client): Promise<void> => {
      for (; left > 0;) {
        left -= 1;
        times.push(await answered(() => ask(client, left)));
      }
    };
    const begin = performance.now();
    await Promise.all(clients.map(work));
    const perSecond = (count / (performance.now() - begin)) * 1000;
    return { p50: percentile(times, 0.5), p99: percentile(times, 0.99), max: percentile(times, 1), perSecond };
  };
  return {
    submit: (template, count) =>
      timed(count, (client, nth) => client.call('run/start', { template, parameters: {}, priority: nth % 3, requestKey: randomUUID() })),
    ping: (count) => timed(count, (client) => client.call('ping', {})),
    close: async () => void (await Promise.all(clients.map((client) => client.close()))),
  };
}

export function showTimes({ p50, p99, max }: Times): string {
  return `${show(p50)} / ${show(p99)} / ${show(max)}`;
}

/** Of the try that was answered; one that came too fast for its connection (200 calls a second) is made again when it was told to. */
async function answered(ask: () => Promise<unknown>): Promise<number> {
  for (;;) {
    const since = performance.now();
    try {
      await ask();
      return performance.now() - since;
    } catch (error) {
      const again =
        error instanceof CallsheetError && error.code === 'TOO_MANY_REQUESTS' ? error.data.details?.['retryAfterMs'] : undefined;
      if (typeof again !== 'number') throw error;
      await pause(again);
    }
  }
}
