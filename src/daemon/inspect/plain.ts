/** Anything a machine holds as plain JSON of bounded size, without secrets. Takes no part of it by reference and throws at nothing. */
import { isSecretName, REDACTED, redactText } from '#graph/secrets.ts';

export interface PlainLimits {
  /** Characters of one text. */
  readonly text: number;
  /** Members of one list or object. */
  readonly members: number;
  readonly depth: number;
  /** Values in all. */
  readonly values: number;
  /** Characters of all texts and names. */
  readonly characters: number;
}

/** At most about 40 kB of JSON. */
export const PLAIN_LIMITS: PlainLimits = { text: 500, members: 100, depth: 12, values: 2000, characters: 32_000 };

/** Of a text that is far too long only so much is looked through; what is shown is far shorter. */
const LOOKED_THROUGH = 20_000;

/** `secrets`: values that are taken out wherever they stand, beside what looks like a secret by its name or form. */
export function plainOf(value: unknown, secrets: readonly string[] = [], limits: PlainLimits = PLAIN_LIMITS): unknown {
  const budget = { values: limits.values, characters: limits.characters };

  function text(given: string): string {
    const looked = given.length > LOOKED_THROUGH ? given.slice(0, LOOKED_THROUGH) : given;
    const clean = redactText(looked, secrets);
    const room = Math.min(limits.text, Math.max(0, budget.characters));
    const isCut = clean.length > room || looked.length < given.length;
    budget.characters -= Math.min(clean.length, room);
    return isCut ? `${clean.slice(0, room).toWellFormed()}… (${String(given.length)} characters)` : clean;
  }

  function walk(one: unknown, depth: number): unknown {
    budget.values -= 1;
    if (one === null || typeof one === 'boolean') return one;
    if (typeof one === 'number') return Number.isFinite(one) ? one : String(one);
    if (typeof one === 'string') return text(one);
    if (typeof one === 'bigint') return text(String(one));
    if (typeof one !== 'object') return undefined;
    if (depth >= limits.depth || budget.values <= 0) return '…';
    if (one instanceof Error) return members({ name: one.name, message: one.message, ...('code' in one ? { code: one.code } : {}) }, depth);
    if (one instanceof Date) return Number.isNaN(one.valueOf()) ? null : one.toISOString();
    if (ArrayBuffer.isView(one)) return `(${String(one.byteLength)} bytes)`;
    if (one instanceof Map || one instanceof Set) return `(${String(one.size)} entries)`;
    if (isActor(one)) return { xstate$$type: 1, id: text(one.id) };
    return Array.isArray(one) ? list(one, depth) : members(one, depth);
  }

  function list(items: readonly unknown[], depth: number): unknown[] {
    const shown: unknown[] = [];
    for (const item of items.slice(0, limits.members)) {
      if (budget.values <= 0) break;
      shown.push(walk(item, depth + 1) ?? null);
    }
    return shown.length < items.length ? [...shown, `… ${String(items.length - shown.length)} more`] : shown;
  }

  function members(object: object, depth: number): Record<string, unknown> {
    const entries: [string, unknown][] = [];
    const names = Object.keys(object);
    for (const name of names.slice(0, limits.members)) {
      if (budget.values <= 0) break;
      const inner = (object as Readonly<Record<string, unknown>>)[name];
      const shown =
        inner !== null && inner !== undefined && isSecretName(name) && typeof inner !== 'boolean' ? REDACTED : walk(inner, depth + 1);
      if (shown !== undefined) entries.push([text(name), shown]);
    }
    const left = names.length - Math.min(names.length, limits.members);
    if (left > 0) entries.push(['…', `${String(left)} more`]);
    return Object.fromEntries(entries);
  }

  try {
    return walk(value, 0);
  } catch {
    // A getter that throws, a revoked proxy: nothing of it can be shown.
    return '(unreadable)';
  }
}

// --- helpers ---

/** An actor holds its whole system; its id says enough. */
function isActor(value: object): value is { readonly id: string } {
  return 'sessionId' in value && 'send' in value && 'id' in value && typeof value.id === 'string';
}
