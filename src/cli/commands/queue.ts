/** `callsheet queue`: whether the queue goes on, and what waits in it. */
import type { QueueState } from '#protocol/methods/queue.ts';
import { type Command, DATA_OPTION, JSON_OPTION } from '../command.ts';
import { EXIT, jsonLine, line } from '../io.ts';
import { openSession } from '../open-session.ts';
import { noMorePositionals, subcommand } from '../parse-arguments.ts';

const ACTIONS = ['show', 'pause', 'resume'] as const;

export const queueCommand: Command = {
  name: 'queue',
  summary: 'Shows the queue, pauses it or lets it go on.',
  usage: ['queue', 'queue pause', 'queue resume'],
  options: { ...JSON_OPTION, ...DATA_OPTION },
  notes: ['A paused queue stays paused across restarts. What is on a backend goes on, and runs are still accepted.'],

  async run(args, io) {
    const action = subcommand(args, ACTIONS, 'show');
    noMorePositionals(args, 1);
    const session = await openSession(args, io, {});
    try {
      const { client } = session;
      const { queue } = action === 'show' ? await client.call('daemon/status', {}) : await client.call(`queue/${action}`, {});
      if (args.flag('json')) jsonLine(io.out, { queue });
      else line(io.out, inWords(queue));
      return EXIT.done;
    } finally {
      await session.close();
    }
  },
};

function inWords({ paused, waitingRuns, waitingItems }: QueueState): string {
  const waiting = `${String(waitingRuns)} runs wait to begin, ${String(waitingItems)} items for a place on a backend.`;
  return paused ? `The queue is paused. ${waiting} Go on with: callsheet queue resume` : `The queue is open. ${waiting}`;
}
