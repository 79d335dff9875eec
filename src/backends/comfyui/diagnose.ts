/**
 * Why a prompt does not go on although the server answers: its one worker may be dead, which HTTP never shows (ComfyUI#11513, #10514).
 * Only proofs count; without one nothing is said, since a model that loads for minutes looks the same.
 */
import type { Http } from './http.ts';
import type { LookUp } from './look-up.ts';
import { isFields, list, parsePython, text } from './replies.ts';
import type { Clock, Timeouts } from './settings.ts';
import type { Track } from './track.ts';

/**
 * Python's own words when a thread ends by an exception; before Python 3.10 without the name of its function, which then is the outermost frame
 * (main.py of ComfyUI). The frame alone proves nothing: whoever prints a stack for his own ends shows it too.
 */
const DEAD_WORKER =
  /Exception in thread [^\n]*\(prompt_worker\)|Exception in thread [^\n]*\n(?:Traceback [^\n]*\n)(?:  File [^\n]*threading\.py"[^\n]*\n(?:    [^\n]*\n)*)*  File [^\n]*, in prompt_worker\b/;

/** All attempts that wait ask at about the same time: one reading of the log serves them for so long, in milliseconds. */
const LOG_KEPT_MS = 20_000;

export interface Diagnosis {
  /** A clause for a person; undefined when nothing is proven. To be asked when nothing was heard for a while. */
  of(track: Track | undefined, signal?: AbortSignal): Promise<string | undefined>;
}

export function createDiagnosis(http: Http, lookUp: LookUp, { getMs }: Pick<Timeouts, 'getMs'>, clock: Clock): Diagnosis {
  let log: { readonly at: number; readonly read: Promise<string> } | undefined;
  const readOnce = (): Promise<string> => {
    if (log === undefined || clock.now() - log.at > LOG_KEPT_MS) log = { at: clock.now(), read: readLog(http, getMs) };
    return log.read;
  };
  return {
    async of(track, signal) {
      const hasEnded = track?.hint !== undefined && track.hint.end !== 'idle';
      if (hasEnded && (await lookUp.queue(track.promptId, signal)).state === 'running') {
        return 'it told the end of the prompt and still has it in its queue as running';
      }
      return DEAD_WORKER.test(await readOnce()) ? 'its own log has the end of that thread' : undefined;
    },
  };
}

/** The newest lines of the server's log, which it keeps for its frontend; empty where it does not give them. */
async function readLog(http: Http, timeoutMs: number): Promise<string> {
  const reply = await http.send({ method: 'GET', path: '/internal/logs/raw', isBare: true, timeoutMs });
  if (reply.status !== 200) return '';
  const body = parsePython(reply.text);
  // One print may come as several entries.
  return list(isFields(body) ? body['entries'] : []).reduce<string>(
    (log, entry) => log + ((isFields(entry) ? text(entry['m']) : undefined) ?? ''),
    '',
  );
}
