/** A recorded session: the frames of one connection in order, with names in the place of what is another each time. */

export interface Frame {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: unknown;
}

export interface Recorded {
  /** From the client, or from the daemon. */
  readonly from: 'client' | 'daemon';
  readonly frame: Frame;
}

const ID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{64}\b/g;

/** `<dir>` for the directory of the world; `<1>`, `<2>` … for ids and hashes that the daemon made, by the order in which it told them. */
export function withNames(frames: readonly Recorded[], dir: string): readonly Recorded[] {
  const names = new Map<string, string>();
  const own = new Set<string>();
  return frames.map(({ from, frame }) => {
    const text = JSON.stringify(frame).replaceAll(dir, '<dir>');
    for (const [id] of text.matchAll(ID)) {
      if (from === 'client' && !names.has(id)) own.add(id);
      if (from === 'daemon' && !own.has(id) && !names.has(id)) names.set(id, `<${String(names.size + 1)}>`);
    }
    return { from, frame: JSON.parse(text.replaceAll(ID, (id) => names.get(id) ?? id)) as Frame };
  });
}

/** What the names of a recording stand for in a replay. */
export type Names = Map<string, string>;

export function fillIn(frame: Frame, names: Names): Frame {
  return JSON.parse(JSON.stringify(frame).replaceAll(/<(?:dir|\d+)>/g, (name) => names.get(name) ?? name)) as Frame;
}

/** May be there or not, as the machine is quick or slow. */
const PASSING = new Set([
  'etaSeconds',
  'etaRange',
  'seconds',
  'queueRemaining',
  'inFlight',
  'models',
  'cache',
  'proof',
  'hint',
  'reason',
  'draft',
]);
/** Words that programs decide by: they must be the same. Of other texts and numbers only the kind must be. */
const DECIDING = new Set([
  'status',
  'type',
  'code',
  'kind',
  'severity',
  'method',
  'step',
  'output',
  'mediaType',
  'approval',
  'from',
  'into',
  'backend',
  'template',
  'scope',
]);

/** Numbers that tell things apart. */
const NUMBERING = new Set(['item', 'index', 'attempt', 'nth']);

/**
 * What a client that knew `recorded` would miss in `now`: one sentence for each, none when it would not notice. Lists may hold more. Binds names.
 * Whatever is new is none of its business.
 */
export function missing(recorded: unknown, now: unknown, names: Names, place = ''): readonly string[] {
  if (typeof recorded === 'string') return missingText(recorded, now, names, place);
  if (recorded === null || typeof recorded !== 'object') {
    const isOther = NUMBERING.has(place.split('.').at(-1) ?? '') && recorded !== now;
    if (typeof recorded === typeof now) return isOther ? [`${place}: it was ${String(recorded)} and is ${String(now)}`] : [];
    return [`${place}: it was ${typeof recorded} and is ${now === undefined ? 'gone' : typeof now}`];
  }
  if (typeof now !== 'object' || now === null || Array.isArray(recorded) !== Array.isArray(now))
    return [`${place}: it is no ${Array.isArray(recorded) ? 'list' : 'object'} any more`];
  if (Array.isArray(recorded))
    return recorded.flatMap((item, at) => missingItem(item, now as readonly unknown[], names, `${place}[${String(at)}]`));
  return Object.entries(recorded).flatMap(([name, value]) => {
    const there = (now as Readonly<Record<string, unknown>>)[name];
    return PASSING.has(name) && there === undefined ? [] : missing(value, there, names, `${place}.${name}`);
  });
}

// --- helpers ---

function missingText(recorded: string, now: unknown, names: Names, place: string): readonly string[] {
  if (typeof now !== 'string') return [`${place}: it was a text and is ${now === undefined ? 'gone' : typeof now}`];
  const parts = recorded.split(/(<(?:dir|\d+)>)/);
  // What the daemon says with the name of something in it must say it of the same thing.
  if (parts.length === 3 && parts[0] === '' && parts[2] === '') {
    const name = parts[1] ?? '';
    const known = names.get(name);
    const isTaken = known === undefined && [...names.values()].includes(now);
    if (isTaken || (known !== undefined && known !== now)) return [`${place}: it stands for another thing than before`];
    names.set(name, now);
    return [];
  }
  const isDeciding = DECIDING.has(
    place
      .split('.')
      .at(-1)
      ?.replace(/\[\d+\]$/, '') ?? '',
  );
  return isDeciding && parts.length === 1 && recorded !== now ? [`${place}: it was ${recorded} and is ${now}`] : [];
}

/** The same item somewhere in the list; the names that it binds count only there. */
function missingItem(item: unknown, now: readonly unknown[], names: Names, place: string): readonly string[] {
  let nearest: readonly string[] = [`${place}: the list is empty`];
  for (const [at, candidate] of now.entries()) {
    const bound = new Map(names);
    const found = missing(item, candidate, bound, place);
    if (found.length === 0) {
      for (const [name, value] of bound) names.set(name, value);
      return [];
    }
    if (at === 0 || found.length < nearest.length) nearest = found;
  }
  return nearest;
}
