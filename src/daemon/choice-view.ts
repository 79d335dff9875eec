/** The choices of a run, folded from its log: the same while it waits, after its end and after a crash. */
import type { RunEvent } from '#protocol/events.ts';
import type { ChoiceView } from '#protocol/views.ts';
import type { CompiledChoice, CompiledTemplate } from '#templates/compiled.ts';

/** In the order of the template. The newest offer counts: a choice that is asked again has no pick. */
export function choicesOf(template: CompiledTemplate, events: readonly RunEvent[], ended: boolean): readonly ChoiceView[] {
  return template.choices.map((choice) => {
    const view = events.reduce<ChoiceView>((now, { event }) => fold(now, choice, event), pending(choice));
    // Also where the run was ended from outside while a person was asked.
    return ended && (view.status === 'pending' || view.status === 'waiting') ? { ...view, status: 'cancelled' } : view;
  });
}

// --- helpers ---

function pending({ into, after, title, pick }: CompiledChoice): ChoiceView {
  return {
    into,
    after,
    ...(title === undefined ? {} : { title }),
    status: 'pending',
    pick: { min: pick.min, ...(pick.max === undefined ? {} : { max: pick.max }) },
    candidates: [],
  };
}

function fold(now: ChoiceView, choice: CompiledChoice, event: RunEvent['event']): ChoiceView {
  if (event.type === 'run.retried') return event.again.includes(`choices.${choice.into}`) ? pending(choice) : now;
  if (!('into' in event) || event.into !== choice.into) return now;
  if (event.type === 'choice.offered') {
    const { type: _type, ...offered } = event;
    return { ...offered, status: 'waiting' };
  }
  if (event.type === 'choice.made') return { ...now, status: 'made', picked: event.picked, pickedBy: event.by };
  const reason = event.error?.message ?? event.reason;
  return { ...now, status: event.status, ...(reason === undefined ? {} : { reason }) };
}
