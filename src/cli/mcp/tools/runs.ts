/** Tools about runs. */
import { array, boolean, closed, described, integer, json, oneOf, optional, record, string } from '#protocol/schema.ts';
import { RUN_STATUSES } from '#protocol/views.ts';
import { formatPercent, formatTime } from '../../format.ts';
import { runAnswer } from '../run-answer.ts';
import { backendId, RUN_MEMBERS, waitSeconds } from '../run-options.ts';
import { onceKey, startRun, waitFor } from '../start.ts';
import { ENDS, MAKES, READS, tool, type Tool } from '../tool.ts';
import { watchRun } from '../watch.ts';

const runId = described(string({ minLength: 1, maxLength: 64 }), 'Id of a run.');

const start = tool({
  name: 'start_run',
  title: 'Start a run',
  description:
    'Executes any template, also one that has no tool of its own, and waits for its files. describe_template names the parameters.',
  annotations: MAKES,
  input: closed({
    template: described(string({ minLength: 1, maxLength: 64 }), 'Id of a template.'),
    version: optional(described(string({ minLength: 1, maxLength: 64 }), 'Semantic version; the newest when absent.')),
    parameters: optional(described(record(json()), 'Values by name; the others take their defaults.')),
    ...RUN_MEMBERS,
  }),
  run: ({ template, version, parameters = {}, ...options }, context, caller) =>
    startRun({ template, ...(version === undefined ? {} : { version }), parameters, options }, context, caller),
});

const get = tool({
  name: 'get_run',
  title: 'Look at a run',
  description: 'How a run stands now: steps, files, choices, problems. Does not wait.',
  annotations: READS,
  input: closed({ run_id: runId }),
  async run({ run_id: id }, context) {
    const { run } = await context.link.call('run/get', { runId: id });
    return runAnswer(run, context);
  },
});

const watch = tool({
  name: 'watch_run',
  title: 'Wait for a run',
  description: 'Waits until a run ends or asks for a choice, and reports progress meanwhile.',
  annotations: READS,
  input: closed({ run_id: runId, wait_seconds: waitSeconds }),
  run: ({ run_id: id, wait_seconds: wait }, context, caller) => waitFor(id, wait, context, caller),
});

const choose = tool({
  name: 'choose',
  title: 'Make a choice',
  description: 'Picks among the candidates that a run waits with, then waits for the run as watch_run does.',
  annotations: MAKES,
  input: closed({
    run_id: runId,
    values: described(
      array(string({ maxLength: 4096 }), { maxItems: 1000 }),
      'Indices as text ("0"), ids, file names or texts of candidates; empty picks nothing where that is allowed.',
    ),
    choice: optional(described(string({ minLength: 1, maxLength: 64 }), 'Name of the choice; may be left out while one waits.')),
    wait_seconds: waitSeconds,
  }),
  async run({ run_id: id, values, choice, wait_seconds: wait }, context, caller) {
    const into = choice === undefined ? {} : { into: choice };
    const picked = await context.link.call('run/choose', { runId: id, values, ...into, requestKey: onceKey() });
    return waitFor(id, wait, context, caller, [
      `Picked for "${picked.into}": ${picked.picked.length === 0 ? 'nothing' : picked.picked.join(', ')}.`,
    ]);
  },
});

const cancel = tool({
  name: 'cancel_run',
  title: 'Cancel a run',
  description: 'Ends a run; it stays cancelling until the backend has proven that nothing of it is left there. Finished files stay.',
  annotations: ENDS,
  input: closed({
    run_id: runId,
    force: optional(described(boolean(), 'True: gives up the proof of a run that is cancelling already, and ends it as lost.')),
    wait_seconds: waitSeconds,
  }),
  async run({ run_id: id, force, wait_seconds: wait }, context, { signal, onProgress }) {
    await context.link.call('run/cancel', { runId: id, ...(force === undefined ? {} : { force }), requestKey: onceKey() });
    const waitMs = (wait ?? context.waitSeconds) * 1000;
    const run = await watchRun(context.link, id, { waitMs, signal, onProgress, untilEnd: true });
    return runAnswer(run, context);
  },
});

const retry = tool({
  name: 'retry_run',
  title: 'Try a run again',
  description: 'Tries a run again that failed, was lost or cancelled: what is finished is kept. Waits as watch_run does.',
  annotations: MAKES,
  input: closed({
    run_id: runId,
    from: optional(described(string({ minLength: 1, maxLength: 64 }), 'A step that is done again, with everything made of it.')),
    backend: backendId,
    wait_seconds: waitSeconds,
  }),
  async run({ run_id: id, wait_seconds: wait, ...rest }, context, caller) {
    const { again } = await context.link.call('run/retry', { runId: id, ...rest, requestKey: onceKey() });
    return waitFor(id, wait, context, caller, [`Done again: ${again.join(', ')}.`]);
  },
});

const list = tool({
  name: 'list_runs',
  title: 'List runs',
  description: 'Runs, newest first.',
  annotations: READS,
  input: closed({
    status: optional(described(array(oneOf(RUN_STATUSES), { maxItems: 8 }), 'Only runs in one of these.')),
    template: optional(described(string({ minLength: 1, maxLength: 64 }), 'Only runs of this template.')),
    limit: optional(described(integer({ minimum: 1, maximum: 100 }), '20 when absent.')),
    before: optional(described(string({ minLength: 1, maxLength: 64 }), 'Id of the last run of the page before.')),
  }),
  async run({ limit = 20, ...rest }, { link }) {
    const { runs } = await link.call('run/list', { limit, ...rest });
    const lines = runs.map((run) => {
      const how = run.endedAt === undefined ? ` ${formatPercent(run.progress)}` : '';
      return `${run.runId}  ${run.template} ${run.version}  ${run.status}${how}  ${formatTime(run.createdAt)}${run.draft ? '  draft' : ''}`;
    });
    return { text: lines.length === 0 ? ['There are no such runs.'] : lines, data: { runs } };
  },
});

export const RUN_TOOLS: readonly Tool[] = [start, get, watch, choose, cancel, retry, list];
