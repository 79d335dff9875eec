/** What it means that a prompt is nowhere to be found: an end that the socket told of, or one of the cases of loss (DESIGN 4). */
import type { BackendEvent } from '../contract.ts';
import type { Contact } from './contact.ts';
import { nodeFailure } from './failures.ts';
import type { Ended } from './history.ts';
import { readOutputs } from './outputs.ts';
import type { Track } from './track.ts';

export type Terminal = Extract<BackendEvent, { type: 'finished' | 'failed' | 'interrupted' | 'lost' }>;

/** The verdict on a prompt that was absent twice, `absentGapMs` or more apart. */
export function verdictOnAbsent(track: Track, acknowledged: boolean, contact: Contact): Terminal {
  const told = toldBySocket(track);
  if (told !== undefined) return told;
  if (!acknowledged) return { type: 'lost', cause: 'never-accepted' };
  const restarted = track.counterReset || contact.refusals > track.refusalsThen;
  return { type: 'lost', cause: restarted ? 'restarted' : 'removed' };
}

/** The end that the socket told, for a history that somebody cleared before it was read. */
function toldBySocket(track: Track): Terminal | undefined {
  const { hint } = track;
  if (hint === undefined || hint.end === 'idle') return undefined;
  if (hint.end === 'interrupted') return { type: 'interrupted' };
  if (hint.end === 'error') return { type: 'failed', error: nodeFailure(hint.data) };
  const reported = [...track.executed];
  const outputs = readOutputs(
    Object.fromEntries(reported.map(([id, { output }]) => [id, output])),
    Object.fromEntries(reported.map(([id, { shown }]) => [id, { display_node: shown }])),
    track.cachedNodes,
  );
  // A success without anything to show for it is no evidence.
  return outputs.files.length === 0 && outputs.texts.length === 0 ? undefined : { type: 'finished', outputs };
}

export function asEvent(found: Ended): Terminal {
  if (found.state === 'finished') return { type: 'finished', outputs: found.outputs };
  if (found.state === 'failed') {
    return { type: 'failed', error: found.error, ...(found.outputs === undefined ? {} : { outputs: found.outputs }) };
  }
  return { type: 'interrupted' };
}
