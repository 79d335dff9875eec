/** One line for each kind of event. What this page does not know is shown as it came. Pure. */
import type { RunEventBody } from '../../src/protocol/events.ts';
import { lookOfRun, lookOfStep, type Tone } from '../parts/status.tsx';

export interface EventLine {
  readonly tone: Tone;
  /** Step and item, or the name of a choice. */
  readonly about: string;
  readonly words: string;
}

export function lineOf(event: RunEventBody): EventLine {
  switch (event.type) {
    case 'run.created':
      return { tone: 'idle', about: '', words: `${event.template} ${event.version}` };
    case 'run.status':
      return { tone: lookOfRun(event.status).tone, about: '', words: join(event.status, event.error?.message) };
    case 'run.retried':
      return { tone: 'busy', about: '', words: `try ${String(event.nth)}: again ${event.again.join(', ')}` };
    case 'run.note':
      return {
        tone: event.severity === 'warning' ? 'warn' : 'idle',
        about: event.step ?? '',
        words: join(event.code, event.message, event.hint),
      };
    case 'step.planned':
      return {
        tone: 'idle',
        about: event.step,
        words: `${String(event.items)} ${event.items === 1 ? 'item' : 'items'}${event.kept === undefined ? '' : `, ${String(event.kept.length)} kept`}`,
      };
    case 'step.status':
      return {
        tone: lookOfStep(event.status).tone,
        about: itemOf(event),
        words: join(
          event.status,
          event.attempt > 1 ? `attempt ${String(event.attempt)}` : undefined,
          event.profile === 'low' ? 'low memory' : undefined,
          event.backend,
          event.promptId,
          event.reason,
          event.error?.message,
        ),
      };
    case 'step.note':
      return { tone: 'warn', about: itemOf(event), words: join(event.code, event.message) };
    case 'step.cache':
      return { tone: event.result === 'hit' ? 'good' : 'idle', about: itemOf(event), words: join(event.result, event.reason) };
    case 'artifact.created':
      return { tone: 'good', about: itemOf(event), words: join(event.output, event.mediaType, event.path) };
    case 'choice.offered':
      return { tone: 'ask', about: event.into, words: join(`${String(event.candidates.length)} candidates`, event.title) };
    case 'choice.made':
      return { tone: 'good', about: event.into, words: join(`by ${event.by}`, event.picked.join(', ')) };
    case 'choice.status':
      return { tone: 'idle', about: event.into, words: join(event.status, event.reason, event.error?.message) };
    default:
      return { tone: 'idle', about: '', words: JSON.stringify(event) };
  }
}

// --- helpers ---

function itemOf({ step, item }: { readonly step: string; readonly item: number }): string {
  return item === 0 ? step : `${step} [${String(item)}]`;
}

function join(...words: readonly (string | undefined)[]): string {
  return words.filter((word) => word !== undefined && word !== '').join(' · ');
}
