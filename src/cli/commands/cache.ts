/** `callsheet cache`: how much of what earlier runs made is kept, and how to drop it. */
import type { DaemonStatus } from '#protocol/methods/system.ts';
import { type Command, DATA_OPTION, JSON_OPTION } from '../command.ts';
import { formatBytes, safeText } from '../format.ts';
import { EXIT, jsonLine, line } from '../io.ts';
import { openSession } from '../open-session.ts';
import { noMorePositionals, subcommand } from '../parse-arguments.ts';

const ACTIONS = ['show', 'clear'] as const;

export const cacheCommand: Command = {
  name: 'cache',
  summary: 'Shows how much of earlier results is kept, or drops all of it.',
  usage: ['cache', 'cache clear'],
  options: { ...JSON_OPTION, ...DATA_OPTION },
  notes: ['What is kept is a copy: files of runs stay where they are. CALLSHEET_CACHE sets the limit (20G, 500M; 0 keeps nothing).'],

  async run(args, io) {
    const action = subcommand(args, ACTIONS, 'show');
    noMorePositionals(args, 1);
    const session = await openSession(args, io, {});
    try {
      if (action === 'clear') {
        const dropped = await session.client.call('cache/clear', {});
        if (args.flag('json')) jsonLine(io.out, { dropped });
        else line(io.out, `Dropped ${results(dropped.entries)}, ${formatBytes(dropped.bytes)}.`);
      } else {
        const { cache } = await session.client.call('daemon/status', {});
        if (args.flag('json')) jsonLine(io.out, { cache });
        else line(io.out, inWords(cache));
      }
      return EXIT.done;
    } finally {
      await session.close();
    }
  },
};

// --- helpers ---

function inWords({ entries, bytes, limit, hits, misses, trouble }: DaemonStatus['cache']): string {
  if (limit === 0) return 'The result cache is off. CALLSHEET_CACHE=20G, when the daemon starts, gives it room.';
  const asked = hits + misses === 0 ? '' : ` Since the start ${String(hits)} of ${String(hits + misses)} items were taken from it.`;
  const use = `${results(entries)} kept, ${formatBytes(bytes)} of at most ${formatBytes(limit)}.${asked}`;
  return trouble === undefined
    ? use
    : `The result cache does not work: ${safeText(trouble)}. Runs go on; what they make is not kept.\n${use}`;
}

function results(count: number): string {
  return count === 1 ? '1 result' : `${String(count)} results`;
}
