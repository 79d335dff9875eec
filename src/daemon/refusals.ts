/** Counts what was turned away at the gates and why, so that `daemon/status` shows when a web page tried. */

export const REFUSAL_REASONS = [
  'host',
  'origin',
  'target',
  'token',
  'session',
  'code',
  'query',
  'method',
  'path',
  'media-type',
  'malformed',
  'connections',
  'auth-timeout',
  'protocol',
  'rate',
  'slow-reader',
] as const;
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

export interface Refusals {
  count(reason: RefusalReason): void;
  /** Reasons that occurred, with their counts. */
  counts(): Readonly<Record<string, number>>;
}

/** `onFirst` hears of the first refusal of each reason in every minute, so that a flood can not fill the log. */
export function createRefusals(
  onFirst: (reason: RefusalReason, total: number) => void = () => {},
  now = () => performance.now(),
): Refusals {
  const totals = new Map<RefusalReason, number>();
  const told = new Map<RefusalReason, number>();
  return {
    count(reason) {
      const total = (totals.get(reason) ?? 0) + 1;
      totals.set(reason, total);
      const last = told.get(reason);
      if (last !== undefined && now() - last < 60_000) return;
      told.set(reason, now());
      onFirst(reason, total);
    },
    counts: () => Object.fromEntries(totals),
  };
}
