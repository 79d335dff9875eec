/** An event of the log in a few words, and the machine that it is about. */
import { choiceId, RUN_ID, stepId } from '#machines/replay/folded-run.ts';
import type { RunEventBody } from '#protocol/events.ts';

export function wordsOf(event: RunEventBody): string {
  switch (event.type) {
    case 'run.created':
      return `run of ${event.template} ${event.version} created`;
    case 'run.status':
      return `run: ${event.status}${event.error === undefined ? '' : `, ${event.error.code}`}`;
    case 'run.retried':
      return `run tried again (${String(event.nth)})`;
    case 'step.planned':
      return `${event.step}: planned, ${String(event.items)} item${event.items === 1 ? '' : 's'}`;
    case 'step.status':
      return `${itemName(event)}: ${event.status}${attempt(event)}${event.error === undefined ? '' : `, ${event.error.code}`}`;
    case 'step.cache':
      return `${itemName(event)}: cache ${event.result}`;
    case 'step.note':
      return `${itemName(event)}: ${event.code}`;
    case 'artifact.created':
      return `${itemName(event)}: file ${event.path.split(/[/\\]/).at(-1) ?? ''}`;
    case 'choice.offered':
      return `choice ${event.into}: ${String(event.candidates.length)} offered`;
    case 'choice.made':
      return `choice ${event.into}: made by ${event.by}`;
    case 'choice.status':
      return `choice ${event.into}: ${event.status}`;
    case 'run.note':
      return `note ${event.code}`;
    default:
      return (event as { readonly type: string }).type;
  }
}

/** Id of the machine as in the fold. */
export function machineOf(event: RunEventBody): string {
  switch (event.type) {
    case 'step.status':
    case 'step.cache':
    case 'step.note':
    case 'artifact.created':
      return stepId(event.step, event.item);
    case 'choice.offered':
    case 'choice.made':
    case 'choice.status':
      return choiceId(event.into);
    default:
      return RUN_ID;
  }
}

// --- helpers ---

function itemName({ step, item }: { readonly step: string; readonly item: number }): string {
  return item === 0 ? step : `${step} #${String(item)}`;
}

function attempt(event: { readonly attempt: number }): string {
  return event.attempt > 1 ? ` (attempt ${String(event.attempt)})` : '';
}
