/** Cancels exactly one prompt and proves it: by the atomic route where it exists, else by queue and interrupt (comfyui.md 2.5). */
import { CallsheetError } from '#protocol/errors.ts';
import type { CancelOutcome } from '../contract.ts';
import type { Http, HttpReply } from './http.ts';
import { isUnknownRoute } from './http.ts';
import type { LookUp } from './look-up.ts';
import type { BackendLog, Clock, Timeouts } from './settings.ts';
import { wait } from './settings.ts';

export interface Canceller {
  readonly http: Http;
  readonly lookUp: LookUp;
  readonly clock: Clock;
  readonly timeouts: Timeouts;
  readonly log: BackendLog;
  /** False below 0.3.57, where /interrupt is global and stops whatever runs. Undefined when the version is not known. */
  readonly interruptIsOurs: () => Promise<boolean | undefined>;
}

/** `accepted`: the POST was answered with a yes, so the prompt cannot turn up later. */
export async function cancelPrompt(deps: Canceller, promptId: string, accepted: boolean, signal?: AbortSignal): Promise<CancelOutcome> {
  const { http, lookUp, clock, timeouts, log } = deps;
  const began = clock.now();
  const post = (path: string, body: string): Promise<HttpReply> =>
    http.send({ method: 'POST', path, body, timeoutMs: timeouts.getMs, signal });
  let atomic: boolean | undefined;
  let interruptedAt: number | undefined;
  let seen = false;
  let deleted = false;

  for (;;) {
    if (atomic !== false) {
      const reply = await post(`/jobs/${encodeURIComponent(promptId)}/cancel`, '{}');
      atomic = !isUnknownRoute(reply) && reply.status !== 405;
    }
    const queued = await lookUp.queue(promptId, signal);
    if (queued.state !== 'absent') seen = true;
    if (queued.state === 'queued' && !atomic) {
      await post('/queue', JSON.stringify({ delete: [promptId] }));
      // Looked at once more without a pause; a server that does not heed it is not asked in a tight loop.
      if (!deleted) {
        deleted = true;
        continue;
      }
    }
    if (
      queued.state === 'running' &&
      !atomic &&
      (interruptedAt === undefined || clock.now() - interruptedAt >= timeouts.interruptRepeatMs)
    ) {
      await interrupt(deps, promptId, post);
      interruptedAt = clock.now();
    }
    if (queued.state === 'absent') {
      const ended = await lookUp.ended(promptId, signal);
      if (ended !== undefined) return { result: ended.state === 'interrupted' ? 'gone' : 'finished' };
      // One picture of the queue and a history read after it leave no place to hide, unless the POST is still on its way.
      if (seen || accepted) return { result: 'gone' };
      const second = await lookUp.twice(promptId, signal);
      if (second.state === 'absent' || second.state === 'interrupted') return { result: 'gone' };
      if (second.state === 'finished' || second.state === 'failed') return { result: 'finished' };
      seen = true;
    }
    if (clock.now() - began > timeouts.cancelMs) {
      log.debug({}, 'a prompt has not stopped yet');
      throw new CallsheetError(
        'BACKEND_HTTP',
        `The backend at ${http.address.label} has not stopped the prompt within ${Math.round(timeouts.cancelMs / 1000)} s of being asked to.`,
        {
          hint: 'It loads a model, or a node that never looks for interrupts is at work: wait for the node to end, or restart ComfyUI.',
          retryable: true,
        },
      );
    }
    await wait(clock, timeouts.cancelStepMs, signal);
  }
}

async function interrupt(deps: Canceller, promptId: string, post: (path: string, body: string) => Promise<unknown>): Promise<void> {
  const ours = await deps.interruptIsOurs();
  if (ours === false) {
    // The version took a round trip: look once more, as late as possible.
    const now = await deps.lookUp.queue(promptId);
    if (now.state !== 'running') return;
    deps.log.warn(
      {},
      'this ComfyUI interrupts whatever runs (below 0.3.57): if our prompt ends in this very moment, the next one is stopped instead',
    );
  }
  await post('/interrupt', JSON.stringify({ prompt_id: promptId }));
}
