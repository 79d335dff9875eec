/** Starts a run for an agent: addresses of results become files, a repeated call joins its run, and the call waits as long as it may. */
import { randomUUID } from 'node:crypto';
import { CallsheetError } from '#protocol/errors.ts';
import type { Answer } from './answer.ts';
import { runAnswer } from './run-answer.ts';
import type { RunOptions } from './run-options.ts';
import type { Caller, ToolContext } from './tool.ts';
import { parseUri } from './uris.ts';
import { watchRun } from './watch.ts';

export interface Start {
  readonly template: string;
  readonly version?: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly options: RunOptions;
}

/** Throws what run/start answers. */
export async function startRun({ template, version, parameters, options }: Start, context: ToolContext, caller: Caller): Promise<Answer> {
  const { backend, priority, cache, request_key: ownKey, wait_seconds: wait } = options;
  const params = {
    template,
    ...(version === undefined ? {} : { version }),
    parameters: await withFiles(parameters, context),
    ...(backend === undefined ? {} : { backend }),
    ...(priority === undefined ? {} : { priority }),
    ...(cache === undefined ? {} : { cache }),
  };
  const { requestKeys, link } = context;
  const isOurs = ownKey === undefined;
  const { requestKey, joined } = isOurs ? requestKeys.wish(params) : { requestKey: ownKey, joined: false };
  const { runId } = await begin();
  const notes = joined
    ? [
        `Joined run ${runId}: an identical call began it, and its end was not told yet. For another variation change a value such as the seed.`,
      ]
    : [];
  return waitFor(runId, wait, context, caller, notes);

  async function begin(): Promise<{ readonly runId: string }> {
    try {
      const answer = await link.call('run/start', { ...params, requestKey });
      if (isOurs) requestKeys.began(params, answer.runId);
      return answer;
    } catch (error) {
      // What can succeed later may have been stored all the same: the key stays, so that asking again asks for the same.
      if (isOurs && error instanceof CallsheetError && !error.data.retryable) requestKeys.refused(params);
      throw error;
    }
  }
}

/** `wait`: seconds; the server's own when absent. */
export async function waitFor(
  runId: string,
  wait: number | undefined,
  context: ToolContext,
  { signal, onProgress }: Caller,
  notes: readonly string[] = [],
): Promise<Answer> {
  const run = await watchRun(context.link, runId, { waitMs: (wait ?? context.waitSeconds) * 1000, signal, onProgress });
  // Nobody hears the answer of a call that was given up: its repetition is to join the run.
  signal.throwIfAborted();
  return runAnswer(run, context, notes);
}

/** A key for a call that may be sent twice when its answer is lost. */
export const onceKey = (): string => `mcp-${randomUUID()}`;

// --- helpers ---

/** null is left out: clients fill in what was not given. `callsheet://artifact/ID` becomes the path of the file, which lies below an approved root. */
async function withFiles(parameters: Start['parameters'], { link }: ToolContext): Promise<Record<string, unknown>> {
  const resolved = async (value: unknown): Promise<unknown> => {
    if (Array.isArray(value)) return Promise.all(value.map(resolved));
    const address = typeof value === 'string' ? parseUri(value) : undefined;
    if (address?.kind !== 'artifact') return value;
    const { artifact } = await link.call('artifact/get', { artifactId: address.id });
    return artifact.path;
  };
  const given = Object.entries(parameters).filter(([, value]) => value !== null);
  return Object.fromEntries(await Promise.all(given.map(async ([name, value]) => [name, await resolved(value)] as const)));
}
