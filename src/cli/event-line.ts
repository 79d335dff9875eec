/** One line of text for one event of a run's log: what is printed where no terminal watches. */
import type { RunEventBody } from '#protocol/events.ts';
import { pickText } from './choices/choice-text.ts';
import { safeText } from './format.ts';

/** Undefined for events that say nothing to a person. */
export function eventLine(event: RunEventBody): string | undefined {
  switch (event.type) {
    case 'run.created':
      return `run created from ${event.template} ${event.version}`;
    case 'run.status':
      return `run ${event.status}`;
    case 'run.retried':
      return `run tried again (${event.nth}): ${event.again.join(', ')}`;
    case 'step.planned': {
      const kept = event.kept?.length ?? 0;
      if (kept > 0) return `step ${event.step} keeps ${kept} of ${event.items} items`;
      return event.items === 1 ? undefined : `step ${event.step} has ${event.items} items`;
    }
    case 'step.status': {
      const item = event.item > 0 ? ` item ${event.item}` : '';
      const attempt = event.attempt > 1 ? ` attempt ${event.attempt}` : '';
      const backend = event.backend === undefined ? '' : ` on ${event.backend}`;
      const why = event.error?.message ?? event.reason;
      return `step ${event.step}${item} ${event.status}${attempt}${backend}${why === undefined ? '' : `: ${safeText(why)}`}`;
    }
    case 'artifact.created':
      return `artifact ${event.step} ${safeText(event.path)}`;
    case 'choice.offered':
      return `choice ${event.into} offered after ${event.after}: ${pickText(event)}`;
    case 'choice.made':
      return `choice ${event.into} made${event.by === 'timeout' ? ', when the time was up' : ''}: ${event.picked.length === 0 ? 'nothing' : event.picked.join(', ')}`;
    case 'choice.status': {
      const why = event.error?.message ?? event.reason;
      return `choice ${event.into} ${event.status}${why === undefined ? '' : `: ${safeText(why)}`}`;
    }
    case 'step.cache': {
      const item = event.item > 0 ? ` item ${event.item}` : '';
      return `step ${event.step}${item} cache ${event.result}: ${safeText(event.reason)}`;
    }
    case 'step.note':
      return `step ${event.step}${event.item > 0 ? ` item ${event.item}` : ''} note ${event.code} ${safeText(event.message)}`;
    case 'run.note':
      return `note ${event.code} ${safeText(event.message)}`;
    default:
      // A newer daemon may know more events than this client.
      return undefined;
  }
}
