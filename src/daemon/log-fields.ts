/** What is logged, made harmless: secrets cut out by name and by form at any depth, long texts cut short, nothing that acts on a terminal. */

/** Names under which a secret could stand, in small letters and without dashes and underscores. */
const SECRET_NAMES =
  /^(?:key|.*(?:apikey|accesskey|secretkey|privatekey)|.*token|.*secret|.*password|passphrase|proof|.*authorization|cookie|setcookie|headers|credentials?|ticket)$/;
const SECRET = '[secret]';

const TEXT_CAP = 2048;
const DEPTH_CAP = 8;
const MEMBER_CAP = 200;

/** A text with its secrets cut out by their form: what stands behind Bearer and Basic, in an address before the host, and behind `token=`. */
export function cleanText(text: string): string {
  const short = text.length <= TEXT_CAP ? text : `${text.slice(0, TEXT_CAP)}… (${text.length} characters)`;
  return short
    .replaceAll(/\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi, `$1 ${SECRET}`)
    .replaceAll(/\/\/[^\s/@]{1,200}@/g, `//${SECRET}@`)
    .replaceAll(/\b((?:api[_-]?key|access[_-]?token|token|secret|password|key)=)[^\s&"']+/gi, `$1${SECRET}`)
    .replaceAll(ACTIVE, escaped);
}

/** The same for what a terminal shows as it is: messages and names. */
export function cleanLine(text: string): string {
  return cleanText(text).replaceAll('\n', String.raw`\n`);
}

/** Fields as they may be written. Getters that throw and circles are told as such. */
export function cleanFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return members(fields, 0, new Set());
}

// --- helpers ---

/**
 * Controls, line separators and direction marks: some pass JSON unescaped, and all would act on a terminal that shows the text. Line ends and
 * tabs may stay: JSON escapes them, and a stack is read by its lines.
 */
const ACTIVE = /(?![\n\t])[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;

function escaped(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function clean(value: unknown, depth: number, above: ReadonlySet<object>): unknown {
  if (typeof value === 'string') return cleanText(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (above.has(value)) return '[circle]';
  if (depth >= DEPTH_CAP) return '[deep]';
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  const within = new Set([...above, value]);
  if (value instanceof Error) return ofError(value, depth, within);
  if (Array.isArray(value)) {
    const kept = value.slice(0, MEMBER_CAP).map((one) => clean(one, depth + 1, within));
    return value.length > MEMBER_CAP ? [...kept, `… (${value.length} of them)`] : kept;
  }
  if (value instanceof Map) return clean(Object.fromEntries(value), depth, within);
  if (value instanceof Set) return clean([...value], depth, within);
  return members(value, depth, within);
}

function members(value: object, depth: number, within: ReadonlySet<object>): Record<string, unknown> {
  const names = Object.keys(value);
  const kept = names.slice(0, MEMBER_CAP).map((name): readonly [string, unknown] => {
    if (SECRET_NAMES.test(name.toLowerCase().replaceAll(/[-_]/g, ''))) return [cleanLine(name), SECRET];
    try {
      return [cleanLine(name), clean((value as Readonly<Record<string, unknown>>)[name], depth + 1, within)];
    } catch {
      return [cleanLine(name), '[unreadable]'];
    }
  });
  const more = names.length > MEMBER_CAP ? [['…', `${names.length} members`] as const] : [];
  return Object.fromEntries([...kept, ...more]);
}

/** As pino tells errors: type, message and stack, then what the error says besides, and what caused it. */
function ofError(error: Error, depth: number, within: ReadonlySet<object>): Record<string, unknown> {
  const { name, message, stack, cause } = error;
  return {
    type: cleanLine(name),
    message: cleanText(message),
    ...(stack === undefined ? {} : { stack: cleanText(stack) }),
    ...members(error, depth, within),
    ...(cause === undefined ? {} : { cause: clean(cause, depth + 1, within) }),
  };
}
