/** Which runs may go: the words of an option, and the runs that fall under them. Pure. */
import { RUN_ENDS } from '#protocol/views.ts';
import type { RunSize } from '#store/types.ts';

/** Age or size lets a run go, and `keep` holds it back; `keep` alone lets all others go. A policy without any of them removes nothing. */
export interface RetentionPolicy {
  /** Ended longer ago than so many milliseconds. */
  readonly olderThan?: number;
  /** So many of the newest that have ended always stay. */
  readonly keep?: number;
  /** The oldest go until the files of all runs together are no larger. */
  readonly maxBytes?: number;
  /** Runs of this template alone; `keep` and `maxBytes` count these. */
  readonly template?: string;
}

/** Why a run that the policy would remove stays: a clause for people. */
export interface Kept {
  readonly runId: string;
  readonly why: string;
}

export interface RetentionPlan {
  /** Oldest first. */
  readonly remove: readonly RunSize[];
  readonly kept: readonly Kept[];
}

/** `held`: why a run must not be touched now, whatever the policy says. */
export function planRetention(
  runs: readonly RunSize[],
  policy: RetentionPolicy,
  now: number,
  held: (run: RunSize) => string | undefined,
): RetentionPlan {
  const { olderThan, keep, maxBytes, template } = policy;
  if (olderThan === undefined && keep === undefined && maxBytes === undefined) return { remove: [], kept: [] };
  const mine = runs.filter((run) => template === undefined || run.template === template);
  const ended = mine.filter((run) => RUN_ENDS.includes(run.status) && run.endedAt !== null).toSorted((a, b) => endOf(a) - endOf(b));
  const newest = new Set(ended.slice(ended.length - Math.min(ended.length, keep ?? 0)));
  const candidates = ended.filter((run) => !newest.has(run));
  const isOnlyKept = olderThan === undefined && maxBytes === undefined;
  let total = mine.reduce((sum, { bytes }) => sum + bytes, 0);
  const remove: RunSize[] = [];
  const kept: Kept[] = [];
  for (const run of candidates) {
    const isOld = olderThan !== undefined && now - endOf(run) > olderThan;
    const isTooMuch = maxBytes !== undefined && total > maxBytes;
    if (!isOnlyKept && !isOld && !isTooMuch) continue;
    const why = run.pinned ? 'it is pinned' : run.doubtful ? 'nobody knows for certain that all of its attempts are over' : held(run);
    if (why !== undefined) {
      kept.push({ runId: run.runId, why });
      continue;
    }
    total -= run.bytes;
    remove.push(run);
  }
  return { remove, kept };
}

function endOf({ endedAt, createdAt }: RunSize): number {
  return endedAt ?? createdAt;
}

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const SIZES: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1e3,
  kb: 1e3,
  m: 1e6,
  mb: 1e6,
  g: 1e9,
  gb: 1e9,
  t: 1e12,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/** `30d`, `12h`, `2w`. Undefined for anything else. */
export function parseAge(text: string): number | undefined {
  const [, number = '', unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?) ?(s|m|min|h|d|w)$/i.exec(text.trim()) ?? [];
  const factor = UNITS[unit.toLowerCase()];
  return factor === undefined ? undefined : Math.round(Number(number) * factor);
}

/** `20GB`, `500 MB`, `1.5TiB`, `1000000`. Undefined for anything else. */
export function parseSize(text: string): number | undefined {
  const [, number = '', unit = ''] = /^(\d{1,15}(?:\.\d{1,3})?) ?([kmgt]?i?b?)$/i.exec(text.trim()) ?? [];
  const factor = Object.hasOwn(SIZES, unit.toLowerCase()) ? SIZES[unit.toLowerCase()] : undefined;
  return number === '' || factor === undefined ? undefined : Math.round(Number(number) * factor);
}

export type ParsedPolicies = { readonly policies: readonly RetentionPolicy[] } | { readonly problem: string };

/** `older-than=30d,keep=20,max-bytes=20GB`; several, each with a `template=ID` of its own, stand behind semicolons. */
export function parsePolicies(text: string): ParsedPolicies {
  const policies: RetentionPolicy[] = [];
  for (const part of text.split(';').map((one) => one.trim())) {
    if (part === '') continue;
    const policy = parsePolicy(part);
    if (typeof policy === 'string') return { problem: policy };
    policies.push(policy);
  }
  return { policies };
}

// --- helpers ---

function parsePolicy(text: string): RetentionPolicy | string {
  const policy: { -readonly [K in keyof RetentionPolicy]: RetentionPolicy[K] } = {};
  for (const item of text.split(',').map((one) => one.trim())) {
    const [, name = '', value = ''] = /^([a-z-]+)=(.+)$/.exec(item) ?? [];
    const age = name === 'older-than' ? parseAge(value) : undefined;
    const size = name === 'max-bytes' ? parseSize(value) : undefined;
    if (age !== undefined) policy.olderThan = age;
    else if (size !== undefined) policy.maxBytes = size;
    else if (name === 'keep' && /^\d{1,7}$/.test(value)) policy.keep = Number(value);
    else if (name === 'template' && /^[a-z0-9][a-z0-9-]{0,63}$/.test(value)) policy.template = value;
    else return `"${item.slice(0, 60)}" is no rule of retention.`;
  }
  const { olderThan, keep, maxBytes } = policy;
  if (olderThan === undefined && keep === undefined && maxBytes === undefined)
    return `"${text.slice(0, 60)}" says nothing about what is to go.`;
  return policy;
}
