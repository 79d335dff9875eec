/** What happens to runs, as lines of the log with the ids of run, step, item and attempt, so that one run can be read by itself. */
import type { RunEvent } from '#protocol/events.ts';
import type { StepStatus } from '#protocol/views.ts';
import type { Logger } from './log.ts';
import type { RunService } from './run-service.ts';

/** States of an item that a person who reads later wants to find; the others are for whoever looks closely. */
const LEVELS: Partial<Record<StepStatus, 'info' | 'warn'>> = {
  submitting: 'info',
  done: 'info',
  cached: 'info',
  skipped: 'info',
  cancelled: 'info',
  'backing-off': 'warn',
  unknown: 'warn',
  unresponsive: 'warn',
  removed: 'warn',
  blocked: 'warn',
  failed: 'warn',
  lost: 'warn',
};

export function followEvents(runs: Pick<RunService, 'onEvents'>, log: Logger, guard: (work: () => void) => void): void {
  runs.onEvents((events) => {
    for (const event of events) guard(() => logEvent(log, event));
  });
}

// --- helpers ---

function logEvent(log: Logger, { runId, event }: RunEvent): void {
  switch (event.type) {
    case 'step.status': {
      const { type: _type, error, status, ...about } = event;
      const why = error === undefined ? {} : { code: error.code, error: error.message };
      return log[LEVELS[status] ?? 'debug']({ runId, ...about, status, ...why }, `item ${status}`);
    }
    case 'run.status': {
      const why = event.error === undefined ? {} : { code: event.error.code, error: event.error.message };
      return log[event.status === 'failed' || event.status === 'lost' ? 'warn' : 'debug'](
        { runId, status: event.status, ...why },
        'run status',
      );
    }
    case 'run.retried':
      return log.info({ runId, nth: event.nth, again: event.again }, 'run tried again');
    case 'step.note':
    case 'run.note': {
      const { type: _type, message, ...about } = event;
      return log[event.type === 'run.note' && event.severity === 'warning' ? 'warn' : 'info']({ runId, ...about, note: message }, 'note');
    }
    case 'choice.offered':
      return log.info({ runId, choice: event.into, candidates: event.candidates.length }, 'a choice is offered');
    case 'choice.made':
      return log.info({ runId, choice: event.into, picked: event.picked.length, by: event.by }, 'a choice is made');
    case 'artifact.created':
      return log.debug({ runId, step: event.step, item: event.item, artifactId: event.artifactId, path: event.path }, 'artifact');
    default:
  }
}
