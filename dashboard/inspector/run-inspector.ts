/** The inspector of one run: its machines, the chart of one of them, and its log, all at one position or as they are now. */
import { CHARTS } from './charts.ts';
import { createChartView } from './chart-view.ts';
import { initialState, wayBetween } from './chart-moves.ts';
import { followRun, type InspectorOptions, type RunFacts } from './daemon-link.ts';
import { element } from './dom.ts';
import { createEventList, type EventLine } from './event-list.ts';
import { machineOf, wordsOf } from './event-words.ts';
import { createLiveActors } from './live-actors.ts';
import { type Mark, marksOf } from './log-marks.ts';
import { createMachineTree } from './machine-tree.ts';
import { createRunLog } from './run-log.ts';
import { createScrubber } from './scrubber.ts';
import { chartOf, foldedRows, liveActor, liveRows } from './tree-rows.ts';

/** Gives what takes it off the page again. */
export function mountRun(place: HTMLElement, options: InspectorOptions, facts: RunFacts): () => void {
  const { runId } = facts;
  const log = createRunLog({ ids: [...facts.steps.map(({ id }) => id), ...(facts.choices ?? []).map(({ into }) => `choices.${into}`)] });
  const live = createLiveActors(runId);
  let position = 0;
  let isFollowing = true;
  let chosen = 'run';
  /** True once a person has chosen; until then the machine of the event is shown. */
  let isChosen = false;
  let startedAt = 0;
  let marks: readonly Mark[] = [];
  let frame: number | undefined;

  const problem = element('p', { class: 'mi-problem', role: 'alert', hidden: true });
  const details = element('pre', { class: 'mi-details', tabindex: 0, 'aria-label': 'What the machine holds' });
  const scrubber = createScrubber((to) => moveTo(to));
  const events = createEventList((to) => moveTo(to));
  const chart = createChartView();
  const tree = createMachineTree((id) => {
    isChosen = true;
    chosen = id;
    redraw();
  });
  const root = element(
    'div',
    { class: 'mi-run' },
    problem,
    scrubber.element,
    element('div', { class: 'mi-columns' }, tree.element, chart.element, element('div', { class: 'mi-side' }, events.element, details)),
  );
  place.append(root);

  const isLive = () => isFollowing && [...live.all.values()].some(({ machine, status }) => machine === 'run' && status === 'active');

  function moveTo(to: number): void {
    position = Math.max(0, Math.min(log.length, to));
    isFollowing = position === log.length;
    const event = log.event(position);
    if (!isChosen && event !== undefined) chosen = machineOf(event.event);
    redraw();
  }

  /** Many events may come in one turn; they are drawn once. */
  function redraw(): void {
    frame ??= requestAnimationFrame(() => {
      frame = undefined;
      draw();
    });
  }

  function draw(): void {
    const fold = log.at(position);
    const rows = isLive() ? liveRows(fold, live) : foldedRows(fold);
    // What a person has chosen stays, and its chart says that it is not there yet.
    if (!isChosen && !rows.some(({ id }) => id === chosen)) chosen = 'run';
    tree.show(rows, chosen);
    const event = log.event(position);
    const words = event === undefined ? 'before the first event' : wordsOf(event.event);
    scrubber.show({ position, length: log.length, isLive: isLive(), words, marks });
    events.show(position, log.length, lineOf, JSON.stringify(marks));
    const placed = CHARTS[chartOf(chosen)];
    const actor = isLive() ? liveActor(live, chosen) : undefined;
    const folded = fold.machines.get(chosen);
    if (placed !== undefined) {
      // One that is told of for the first time has come from its initial state.
      const from = log.before(position, chosen)?.value ?? initialState(placed);
      const way = folded === undefined ? [] : wayBetween(placed, from, folded.value);
      chart.show(placed, {
        value: actor?.value ?? folded?.value,
        way: actor !== undefined && actor.last.length > 0 ? actor.last : way,
        isStopped: folded?.stopped === true,
      });
    }
    const text = JSON.stringify(actor?.snapshot ?? event?.event ?? {}, undefined, 2);
    if (details.textContent !== text) details.textContent = text;
  }

  function lineOf(at: number): EventLine {
    const event = log.event(at);
    if (event === undefined) return { position: at, at: 0, words: '' };
    // A mark says where to stand: just before what is headed by it.
    const heading = marks.find((mark) => mark.position === at - 1)?.words;
    return { position: at, at: event.at, words: wordsOf(event.event), ...(heading === undefined ? {} : { heading }) };
  }

  function onKey(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const far = event.shiftKey ? 10 : 1;
    const to = { ArrowLeft: position - far, ArrowRight: position + far, Home: 0, End: log.length }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    moveTo(to);
  }
  root.addEventListener('keydown', onKey);

  const stop = followRun(options, runId, {
    onEvents(more) {
      log.append(more);
      marks = marksOf(log, startedAt);
      if (isFollowing) position = log.length;
      redraw();
    },
    onRead(given) {
      startedAt = given;
      marks = marksOf(log, startedAt);
      redraw();
    },
    onMessage(message) {
      live.take(message);
      if (isFollowing) redraw();
    },
    onProblem(words) {
      problem.hidden = false;
      problem.textContent = words;
    },
  });
  redraw();
  return () => {
    stop();
    if (frame !== undefined) cancelAnimationFrame(frame);
    root.remove();
  };
}
