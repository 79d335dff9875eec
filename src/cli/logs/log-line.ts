/** One line of the log: read, judged by what was asked for, and shown to a person. */
import { safeText } from '../format.ts';
import type { Paint } from '../paint.ts';

export const LEVELS = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60 } as const;
export type Level = keyof typeof LEVELS;

export interface LogLine {
  /** As it stands in the file, without its end. */
  readonly text: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface LogFilter {
  readonly level: Level;
  /** Id of a run, or its beginning; absent: of all, and of none. */
  readonly run?: string;
}

/** Undefined for what is no line of a log: the rest of one that was cut off, or something else that got in. */
export function readLine(text: string): LogLine | undefined {
  try {
    const fields: unknown = JSON.parse(text);
    return typeof fields === 'object' && fields !== null && !Array.isArray(fields) ? { text, fields: { ...fields } } : undefined;
  } catch {
    return undefined;
  }
}

export function fits({ fields: { level, runId } }: LogLine, filter: LogFilter): boolean {
  if (typeof level !== 'number' || level < LEVELS[filter.level]) return false;
  return filter.run === undefined || (typeof runId === 'string' && runId.startsWith(filter.run));
}

/** `2026-01-31 14:05:06.123 WARN  item failed  runId=… step=base code=NODE_FAILED`, the stack of an error below it. */
export function lineText({ fields }: LogLine, paint: Paint): string {
  const { level, time, msg, err, pid: _pid, hostname: _hostname, ...rest } = fields;
  const stack = isRecord(err) && typeof err['stack'] === 'string' ? err['stack'].split('\n') : [];
  const told = Object.entries(isRecord(err) ? { ...rest, error: err['message'] } : { ...rest, ...(err === undefined ? {} : { err }) });
  const named = told.map(([name, value]) => `${safeText(name)}=${valueText(value)}`).join(' ');
  const head = `${paint.faint(timeText(time))} ${levelText(level, paint)} ${safeText(typeof msg === 'string' ? msg : '')}`;
  const places = stack.filter((one) => /^\s+at /.test(one)).map((one) => `    ${paint.faint(safeText(one.trim()))}`);
  return [named === '' ? head : `${head}  ${paint.faint(named)}`, ...places].join('\n');
}

// --- helpers ---

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function levelText(level: unknown, paint: Paint): string {
  const name = Object.entries(LEVELS).find(([, number]) => number === level)?.[0] ?? String(level);
  const text = safeText(name).toUpperCase().padEnd(5);
  if (typeof level !== 'number' || level < LEVELS.warn) return text;
  return level >= LEVELS.error ? paint.bad(text) : paint.busy(text);
}

function valueText(value: unknown): string {
  if (typeof value === 'string' && /^[\w./:@#*+-]+$/.test(value)) return value;
  return safeText(JSON.stringify(value) ?? 'null');
}

/** Local date and time, to the millisecond. */
function timeText(time: unknown): string {
  const date = new Date(typeof time === 'number' ? time : Number.NaN);
  if (Number.isNaN(date.getTime())) return '?'.padEnd(23);
  const two = (value: number, length = 2): string => String(value).padStart(length, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${two(date.getMilliseconds(), 3)}`;
}
