/** The XState inspector as a part of the dashboard (docs/inspector.md). Needs nothing from outside, no markup of its own, and no inline style or script. */
import type { InspectorOptions, RunFacts } from './daemon-link.ts';
import { element } from './dom.ts';
import { mountRun } from './run-inspector.ts';

export type { InspectorOptions } from './daemon-link.ts';

interface ListedRun {
  readonly runId: string;
  readonly template: string;
  readonly status: string;
}

/** Runs to choose from, newest first. */
const LISTED = 100;

/** Shows the machines of a run inside `place`; gives what takes everything off again and ends every subscription. */
export function mountInspector(place: HTMLElement, options: InspectorOptions): () => void {
  const box = element('div', { class: 'mi-inspector' });
  place.append(box);
  const problem = element('p', { class: 'mi-problem', role: 'alert', hidden: true });
  let unmount: (() => void) | undefined;
  let nth = 0;

  async function showRun(runId: string): Promise<void> {
    nth += 1;
    const mine = nth;
    unmount?.();
    unmount = undefined;
    problem.hidden = true;
    try {
      const { run } = (await options.call('run/get', { runId })) as { readonly run: RunFacts };
      if (mine === nth) unmount = mountRun(box, options, run);
    } catch (error) {
      if (mine !== nth) return;
      problem.hidden = false;
      problem.textContent = error instanceof Error ? error.message : String(error);
    }
  }

  const stopChoosing = options.runId === undefined ? chooseRun(box, options, showRun) : undefined;
  box.append(problem);
  if (options.runId !== undefined) void showRun(options.runId);
  return () => {
    nth += 1;
    stopChoosing?.();
    unmount?.();
    box.remove();
  };
}

// --- helpers ---

/** A list of runs that stays up to date, with the newest one chosen first. */
function chooseRun(box: HTMLElement, { call, on }: InspectorOptions, onChoose: (runId: string) => Promise<void>): () => void {
  const select = element('select', { class: 'mi-select' });
  const none = element('p', { class: 'mi-none', hidden: true }, 'There is no run yet.');
  box.append(element('label', { class: 'mi-choose' }, 'Run ', select), none);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let subscription: string | undefined;
  let isOver = false;

  async function read(): Promise<void> {
    const { runs } = (await call('run/list', { limit: LISTED })) as { readonly runs: readonly ListedRun[] };
    if (isOver) return;
    const before = select.value;
    select.replaceChildren(
      ...runs.map(({ runId, template, status }) => element('option', { value: runId }, `${template} · ${status} · ${runId.slice(-12)}`)),
    );
    none.hidden = runs.length > 0;
    if (runs.some(({ runId }) => runId === before)) select.value = before;
    else if (select.value !== '') void onChoose(select.value);
  }

  const later = () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      read().catch(() => undefined);
    }, 500);
  };
  const stopListening = on('event', (params) => {
    const { event } = params as { readonly event: { readonly type: string } };
    if (event.type === 'run.created' || event.type === 'run.status') later();
  });
  select.addEventListener('change', () => void onChoose(select.value));
  const begin = async () => {
    ({ subscription } = (await call('event/subscribe', {})) as { readonly subscription: string });
    await read();
  };
  begin().catch((error: unknown) => {
    none.hidden = false;
    none.textContent = error instanceof Error ? error.message : String(error);
  });
  return () => {
    isOver = true;
    clearTimeout(timer);
    stopListening();
    if (subscription !== undefined) call('event/unsubscribe', { subscription }).catch(() => undefined);
  };
}
