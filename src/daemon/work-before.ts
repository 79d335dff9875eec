/** What a run's log says of work that was under way before a restart: since when its items are at work, and the run. Pure. */
import type { RunEvent } from '#protocol/events.ts';
import type { StepStatus } from '#protocol/views.ts';

export interface WorkBefore {
  readonly items: readonly ItemBefore[];
  /** Since the first item began, in milliseconds; undefined when none has, and when a person was asked meanwhile: that says nothing of a pace. */
  readonly ageMs: number | undefined;
}

export interface ItemBefore {
  readonly step: string;
  readonly item: number;
  readonly backend: string;
  readonly ageMs: number;
}

/** In these a backend works, as far as anybody knows. */
const AT_WORK: ReadonlySet<StepStatus> = new Set(['running', 'unresponsive', 'unknown', 'cancelling']);

/** `now` and the times of events are of the wall clock, which may have been set: nothing is younger than nothing. */
export function workBefore(events: readonly RunEvent[], now: number): WorkBefore {
  const items = new Map<string, Omit<ItemBefore, 'ageMs'> & { readonly attempt: number; readonly at: number }>();
  let began: number | undefined;
  let asked = false;
  for (const { at, event } of events) {
    if (event.type === 'run.retried') {
      items.clear();
      began = undefined;
      asked = false;
    } else if (event.type === 'choice.offered') asked = true;
    else if (event.type === 'step.status' && event.attempt > 0) {
      const { step, item, attempt, status, backend = '' } = event;
      const key = `${step}/${String(item)}`;
      const known = items.get(key);
      if (!AT_WORK.has(status)) items.delete(key);
      else if (status === 'running' && known?.attempt !== attempt) {
        items.set(key, { step, item, backend, attempt, at });
        began ??= at;
      }
    }
  }
  const age = (at: number): number => Math.max(0, now - at);
  return {
    items: [...items.values()].map(({ step, item, backend, at }) => ({ step, item, backend, ageMs: age(at) })),
    ageMs: began === undefined || asked ? undefined : age(began),
  };
}
