/** What the page hands in to talk to the daemon, and the one feed of a run that is made of it. */
import type { RunEvent } from '#protocol/events.ts';
import type { InspectMessage } from '#protocol/inspect.ts';

export interface InspectorOptions {
  /** A JSON-RPC call; rejects with an Error whose message can be shown. */
  readonly call: (method: string, params: unknown) => Promise<unknown>;
  /** Listens to a notification; gives what ends it. */
  readonly on: (notification: string, listener: (params: unknown) => void) => () => void;
  /** Absent: the person chooses a run. */
  readonly runId?: string;
}

export interface RunFacts {
  readonly runId: string;
  readonly template: string;
  readonly status: string;
  readonly steps: readonly { readonly id: string }[];
  readonly choices?: readonly { readonly into: string }[];
}

export interface RunFeed {
  /** Called with each page of the stored log, then with each new event. */
  onEvents(events: readonly RunEvent[]): void;
  onMessage(message: InspectMessage): void;
  /** The log was read to its end; `startedAt`: when the daemon began, in milliseconds since 1970. */
  onRead(startedAt: number): void;
  onProblem(words: string): void;
}

const PAGE = 500;

/** Reads the log, then follows it and the machines. Gives what ends all of it. */
export function followRun({ call, on }: InspectorOptions, runId: string, feed: RunFeed): () => void {
  const ends: (() => void)[] = [];
  /** The subscription is known only once its answer is here, and its first messages may be here before. */
  const waiting: { readonly subscription: string; take(): void }[] = [];
  const known = new Set<string>();
  let isOver = false;

  function take(subscription: string, work: () => void): void {
    if (isOver) return;
    if (known.has(subscription)) work();
    else waiting.push({ subscription, take: work });
  }

  async function subscribe(method: 'event' | 'inspect', params: object): Promise<void> {
    const { subscription } = (await call(`${method}/subscribe`, params)) as { readonly subscription: string };
    const end = () => void call(`${method}/unsubscribe`, { subscription }).catch(() => undefined);
    if (isOver) return end();
    ends.push(end);
    known.add(subscription);
    const early = waiting.splice(0);
    for (const one of early) {
      if (one.subscription === subscription) one.take();
      else waiting.push(one);
    }
  }

  async function readLog(): Promise<{ readonly epoch: string; readonly seq: number }> {
    let seq = 0;
    for (;;) {
      const page = (await call('event/list', { runId, after: seq, limit: PAGE })) as {
        readonly epoch: string;
        readonly events: readonly RunEvent[];
        readonly more: boolean;
      };
      if (isOver) return { epoch: page.epoch, seq };
      feed.onEvents(page.events);
      seq = page.events.at(-1)?.seq ?? seq;
      if (!page.more) return { epoch: page.epoch, seq };
    }
  }

  async function begin(): Promise<void> {
    const since = await readLog();
    const { startedAt } = (await call('daemon/status', {})) as { readonly startedAt: number };
    if (isOver) return;
    feed.onRead(startedAt);
    await subscribe('event', { runId, since });
    await subscribe('inspect', { runId });
  }

  ends.push(
    on('event', (params) => {
      const event = params as RunEvent & { readonly subscription: string };
      take(event.subscription, () => feed.onEvents([event]));
    }),
    on('inspect', (params) => {
      const { subscription, message } = params as { readonly subscription: string; readonly message: InspectMessage };
      take(subscription, () => feed.onMessage(message));
    }),
  );
  begin().catch((error: unknown) => {
    if (!isOver) feed.onProblem(error instanceof Error ? error.message : String(error));
  });
  return () => {
    isOver = true;
    for (const end of ends) end();
  };
}
