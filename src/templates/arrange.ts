/** What a library shows of its places: sorted, with conflicts, and what changed between two such views. Pure. */
import semver from 'semver';
import type { Problem } from '#protocol/problem.ts';
import type { Place } from './place.ts';

export interface Shown {
  readonly place: Place;
  readonly problems: readonly Problem[];
  readonly runnable: boolean;
}

export interface LibraryChange {
  readonly type: 'added' | 'changed' | 'removed';
  readonly id: string;
  readonly version: string;
}

/** Of several places that claim one id and version the first is kept; the others are shown with the conflict. */
export function arrange(places: readonly Place[]): readonly Shown[] {
  const first = new Map<string, Place>();
  const shown: Shown[] = [];
  for (const place of places) {
    const { problems, runnable } = place;
    const key = keyOf(place);
    const kept = first.get(key);
    if (kept === undefined) {
      first.set(key, place);
      shown.push({ place, problems, runnable });
    } else if (kept.hash === undefined || kept.hash !== place.hash) {
      shown.push({ place, problems: [...problems, conflict(place, kept)], runnable: false });
    }
  }
  return shown.toSorted((a, b) => order(a.place, b.place));
}

function keyOf({ id, version }: Place): string {
  return `${id}@${version}`;
}

/** By id, then the newest version first; equal ones stay as they were found. */
function order(a: Place, b: Place): number {
  if (a.id !== b.id) return a.id < b.id ? -1 : 1;
  const [left, right] = [semver.valid(a.version), semver.valid(b.version)];
  return left !== null && right !== null ? semver.rcompare(left, right) : Number(left === null) - Number(right === null);
}

function conflict({ id, version, origin }: Place, kept: Place): Problem {
  const message = `${id}@${version} is also at ${kept.origin.path}, with other content; that one is used.`;
  const hint = 'Give one of the two another id or version, or remove it.';
  return { code: 'TEMPLATE_CONFLICT', severity: 'error', message, hint, file: origin.path };
}

export function changesBetween(before: readonly Shown[], after: readonly Shown[]): readonly LibraryChange[] {
  const key = ({ place }: Shown): string => `${keyOf(place)}\n${place.origin.path}`;
  const earlier = new Map(before.map((shown) => [key(shown), shown]));
  const found: LibraryChange[] = [];
  const add = (type: LibraryChange['type'], { place: { id, version } }: Shown): void => void found.push({ type, id, version });
  for (const shown of after) {
    const old = earlier.get(key(shown));
    earlier.delete(key(shown));
    if (old === undefined) add('added', shown);
    else if (!same(old, shown)) add('changed', shown);
  }
  for (const shown of earlier.values()) add('removed', shown);
  return found;
}

function same(a: Shown, b: Shown): boolean {
  if (a.place.hash !== b.place.hash || a.runnable !== b.runnable) return false;
  return a.problems === b.problems || JSON.stringify(a.problems) === JSON.stringify(b.problems);
}
