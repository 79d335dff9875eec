/**
 * Facts as spans, in plain words. Every id follows from the run: whoever goes on with it after a restart goes on in the same trace, and spans
 * that were sent before find their parents, which are sent when they end.
 */
import { createHash } from 'node:crypto';
import type { ErrorData } from '#protocol/errors.ts';
import type { Fact, PhaseFact } from '../metrics/facts.ts';

export interface SpanRecord {
  readonly name: string;
  /** 32 hexadecimal digits: the run's id without its dashes. */
  readonly traceId: string;
  /** 16 hexadecimal digits, as `parentId` and `linkedId`. */
  readonly spanId: string;
  /** Absent: the first of its trace. */
  readonly parentId?: string;
  /** The try before this one. */
  readonly linkedId?: string;
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly until: number;
  readonly isRemote: boolean;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly error?: ErrorData;
}

/** Undefined for facts that are no stretch of time. */
export function spanOf(fact: Fact): SpanRecord | undefined {
  if (fact.kind !== 'run' && fact.kind !== 'step' && fact.kind !== 'attempt' && fact.kind !== 'phase') return undefined;
  const { runId, template, nth, resumed, from, until, error } = fact;
  const ofTry = (which: number) => spanId(runId, 'run', which);
  const common = { traceId: traceIdOf(runId), from, until, isRemote: fact.kind === 'attempt', ...(error && { error }) };
  const about = {
    'callsheet.run_id': runId,
    'callsheet.template': template,
    'callsheet.try': nth,
    ...(resumed ? { 'callsheet.resumed': true } : {}),
  };
  switch (fact.kind) {
    case 'run':
      return {
        ...common,
        name: `run ${template}`,
        spanId: ofTry(nth),
        ...(nth === 1 ? {} : { parentId: ofTry(1), linkedId: ofTry(nth - 1) }),
        attributes: { ...about, 'callsheet.status': fact.status },
      };
    case 'step':
      return {
        ...common,
        name: `step ${fact.step}`,
        spanId: stepSpan(runId, nth, fact.step),
        parentId: ofTry(nth),
        attributes: { ...about, 'callsheet.step': fact.step, 'callsheet.items': fact.items, 'callsheet.status': fact.status },
      };
    case 'attempt': {
      const { step, item, attempt, backend, promptId, profile, outcome } = fact;
      return {
        ...common,
        name: 'attempt',
        spanId: attemptSpan(runId, step, item, attempt),
        parentId: stepSpan(runId, nth, step),
        attributes: {
          ...about,
          ...ofItem(fact),
          'callsheet.backend': backend,
          'callsheet.outcome': outcome,
          ...(promptId === undefined ? {} : { 'callsheet.prompt_id': promptId }),
          ...(profile === undefined ? {} : { 'callsheet.profile': profile }),
        },
      };
    }
    default:
      return {
        ...common,
        name: fact.phase,
        spanId: spanId(runId, 'phase', nth, fact.phase, fact.step ?? '', fact.item ?? '', fact.attempt ?? '', from),
        parentId: parentOf(fact),
        attributes: { ...about, ...ofItem(fact) },
      };
  }
}

export function traceIdOf(runId: string): string {
  const digits = runId.replaceAll('-', '').toLowerCase();
  return /^[0-9a-f]{32}$/.test(digits) ? digits : hash(runId).slice(0, 32);
}

// --- helpers ---

/** Phases that lie within an attempt; the others come before it, or between two. */
const WITHIN: ReadonlySet<PhaseFact['phase']> = new Set(['submit', 'backend-queue', 'execute', 'out-of-touch', 'parse', 'fetch', 'cancel']);

function parentOf({ runId, nth, phase, step, item, attempt }: PhaseFact): string {
  if (step === undefined || phase === 'plan' || phase === 'choice') return spanId(runId, 'run', nth);
  if (attempt !== undefined && WITHIN.has(phase)) return attemptSpan(runId, step, item ?? 0, attempt);
  return stepSpan(runId, nth, step);
}

function stepSpan(runId: string, nth: number, step: string): string {
  return spanId(runId, 'step', nth, step);
}

function attemptSpan(runId: string, step: string, item: number, attempt: number): string {
  return spanId(runId, 'attempt', step, item, attempt);
}

function ofItem({ step, item, attempt }: Pick<PhaseFact, 'step' | 'item' | 'attempt'>): SpanRecord['attributes'] {
  return {
    ...(step === undefined ? {} : { 'callsheet.step': step }),
    ...(item === undefined ? {} : { 'callsheet.item': item }),
    ...(attempt === undefined ? {} : { 'callsheet.attempt': attempt }),
  };
}

function spanId(...parts: readonly (string | number)[]): string {
  return hash(parts.join('\n')).slice(0, 16);
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
