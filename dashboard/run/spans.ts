/** When each item of each step was in which state, read out of the run's log. Pure. */
import type { RunEvent } from '../../src/protocol/events.ts';
import { RUN_ENDS, type StepStatus } from '../../src/protocol/views.ts';

export type Phase = 'waiting' | 'working' | 'fetching' | 'asking' | 'troubled';

export interface Span {
  readonly item: number;
  readonly phase: Phase;
  /** Milliseconds since 1970. */
  readonly from: number;
  /** Absent while it goes on. */
  readonly to?: number;
}

export interface StepSpans {
  readonly spans: readonly Span[];
  readonly from?: number;
  readonly to?: number;
}

const PHASES: Partial<Record<StepStatus, Phase>> = {
  preparing: 'waiting',
  waiting: 'waiting',
  submitting: 'waiting',
  queued: 'waiting',
  freeing: 'waiting',
  'backing-off': 'troubled',
  unknown: 'troubled',
  unresponsive: 'troubled',
  removed: 'troubled',
  cancelling: 'troubled',
  running: 'working',
  parsing: 'fetching',
};

/** By step; choices stand as `choices.NAME`. */
export function spansOf(events: readonly RunEvent[]): ReadonlyMap<string, StepSpans> {
  const spans = new Map<string, Span[]>();
  const open = new Map<string, { readonly step: string; readonly item: number; readonly phase: Phase; readonly from: number }>();
  const end = (key: string, at: number): void => {
    const one = open.get(key);
    if (one === undefined) return;
    open.delete(key);
    spans.set(one.step, [...(spans.get(one.step) ?? []), { item: one.item, phase: one.phase, from: one.from, to: at }]);
  };
  const begin = (step: string, item: number, phase: Phase, at: number): void => {
    const key = `${step}/${String(item)}`;
    if (open.get(key)?.phase === phase) return;
    end(key, at);
    open.set(key, { step, item, phase, from: at });
  };
  for (const { at, event } of events) {
    if (event.type === 'step.status') {
      const phase = PHASES[event.status];
      if (phase === undefined) end(`${event.step}/${String(event.item)}`, at);
      else begin(event.step, event.item, phase, at);
    } else if (event.type === 'choice.offered') begin(`choices.${event.into}`, 0, 'asking', at);
    else if (event.type === 'choice.made' || event.type === 'choice.status') end(`choices.${event.into}/0`, at);
    else if (event.type === 'run.status' && RUN_ENDS.includes(event.status)) for (const key of open.keys()) end(key, at);
  }
  for (const { step, item, phase, from } of open.values()) spans.set(step, [...(spans.get(step) ?? []), { item, phase, from }]);
  return new Map([...spans].map(([step, own]) => [step, summed(own)]));
}

/** Milliseconds in which at least one item was at work: items side by side count once. */
export function workedFor({ spans }: StepSpans, now: number): number {
  const working = spans
    .filter(({ phase }) => phase === 'working' || phase === 'fetching')
    .map(({ from, to = now }) => [from, Math.max(from, to)] as const)
    .toSorted((a, b) => a[0] - b[0]);
  let sum = 0;
  let reached = Number.NEGATIVE_INFINITY;
  for (const [from, to] of working) {
    if (to <= reached) continue;
    sum += to - Math.max(from, reached);
    reached = to;
  }
  return sum;
}

// --- helpers ---

function summed(spans: readonly Span[]): StepSpans {
  const from = Math.min(...spans.map((span) => span.from));
  const ends = spans.map((span) => span.to);
  const isOpen = ends.includes(undefined);
  return { spans, from, ...(isOpen ? {} : { to: Math.max(...ends.filter((at) => at !== undefined)) }) };
}
