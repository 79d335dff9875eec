/** `callsheet inspect`: what the machines of runs do, as it happens; and the way to them for Stately's tools. */
import { connect, type Endpoint } from '#protocol/client.ts';
import { CallsheetError } from '#protocol/errors.ts';
import type { InspectMessage } from '#protocol/inspect.ts';
import type { Notifications } from '#protocol/notifications.ts';
import { VERSION } from '#daemon/version.ts';
import { type Arguments, type Command, DATA_OPTION, JSON_OPTION, UsageError } from '../command.ts';
import { dataDirOf } from '../data-dir.ts';
import { forward, relayAddress } from '../inspect/forward.ts';
import { createInspectLines } from '../inspect/inspect-lines.ts';
import { EXIT, type Io, jsonLine, line } from '../io.ts';
import { noMorePositionals } from '../parse-arguments.ts';
import { demandRunning } from '../session.ts';

export const inspectCommand: Command = {
  name: 'inspect',
  summary: 'Shows what the machines of runs do, as it happens.',
  usage: ['inspect [RUN]', 'inspect [RUN] --forward ws://localhost:8080', 'inspect [RUN] --url'],
  options: {
    forward: { type: 'string', value: 'ADDRESS', help: "send the messages to a relay of Stately's tools on this machine" },
    url: { type: 'boolean', help: 'print an address that opens once, within 30 seconds, for a client that takes nothing else' },
    ...JSON_OPTION,
    ...DATA_OPTION,
  },
  notes: [
    'With RUN it ends with that run; else it goes on until Ctrl-C. Finished runs have their machines in the dashboard: callsheet open',
  ],

  async run(args, io) {
    const [runId] = args.positionals;
    noMorePositionals(args, 1);
    const to = args.text('forward');
    if (to !== undefined && args.flag('url')) throw new UsageError('Give either --forward or --url.');
    const relay = to === undefined ? undefined : relayAddress(to);
    const session = await demandRunning(dataDirOf(args, io), io);
    try {
      const { client, endpoint } = session;
      if (runId !== undefined) await client.call('run/get', { runId });
      if (relay !== undefined) return await forwardTo(relay, endpoint, runId, io);
      if (!args.flag('url')) return await watch(endpoint, runId, args, io);
      const { path } = await client.call('inspect/ticket', runId === undefined ? {} : { runId });
      const url = new URL(path, endpoint.url).href;
      if (args.flag('json')) jsonLine(io.out, { url });
      else line(io.out, url);
      return EXIT.done;
    } finally {
      await session.close();
    }
  },
};

// --- helpers ---

async function forwardTo(relay: string, endpoint: Endpoint, runId: string | undefined, io: Io): Promise<number> {
  const stop = Promise.withResolvers<void>();
  const stopListening = io.onInterrupt(stop.resolve);
  try {
    const onOpen = () => line(io.err, `What machines do goes to ${relay}. Ctrl-C ends it.`);
    await forward(endpoint, { runId, relay, onOpen, stop: stop.promise });
    return EXIT.interrupted;
  } finally {
    stopListening();
  }
}

async function watch(endpoint: Endpoint, runId: string | undefined, args: Arguments, io: Io): Promise<number> {
  const isJson = args.flag('json');
  const lines = createInspectLines(runId !== undefined);
  const end = Promise.withResolvers<number>();
  let root: string | undefined;

  function take(message: InspectMessage): void {
    if (isJson) jsonLine(io.out, message);
    else {
      const text = lines.line(message);
      if (text !== undefined) line(io.out, text);
    }
    if (runId === undefined) return;
    if (message.type === '@xstate.actor' && message.parentId === undefined) {
      root = message.sessionId;
      if (message.closedAt !== undefined) end.resolve(EXIT.done);
    } else if (message.type === '@xstate.snapshot' && message.sessionId === root && isOver(message.snapshot)) end.resolve(EXIT.done);
  }

  const stopListening = io.onInterrupt(() => end.resolve(EXIT.interrupted));
  const client = await connect({
    ...endpoint,
    name: 'callsheet-inspect',
    version: VERSION,
    onNotification: (name, params) => {
      if (name === 'inspect') take((params as Notifications['inspect']).message);
    },
    onClose: (error) =>
      end.reject(error ?? new CallsheetError('CONNECTION_LOST', 'The daemon has gone.', { hint: 'Start it again: callsheet daemon' })),
  });
  try {
    await client.call('inspect/subscribe', runId === undefined ? {} : { runId });
    if (runId !== undefined && !(await isAtWork(client, runId))) return notAtWork(io);
    return await end.promise;
  } finally {
    stopListening();
    end.promise.catch(() => undefined);
    await client.close();
  }

  /** A run that has ended, or that waits to begin, may have no machine to look at. */
  async function isAtWork(from: typeof client, id: string): Promise<boolean> {
    const { run } = await from.call('run/get', { runId: id });
    return root !== undefined || !['succeeded', 'failed', 'cancelled', 'lost'].includes(run.status);
  }
}

function notAtWork(io: Io): number {
  line(io.err, 'The run has ended, and its machines with it. They are in the dashboard, at every event of its log: callsheet open');
  return EXIT.done;
}

function isOver(snapshot: unknown): boolean {
  return typeof snapshot === 'object' && snapshot !== null && 'status' in snapshot && snapshot.status !== 'active';
}
