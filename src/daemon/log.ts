/** The log: JSON lines in the data directory, readable lines on a terminal. Secrets are cut out, long fields are cut short. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import type { Level, Logger } from 'pino';

export type { Logger } from 'pino';
export type LogLevel = Level | 'silent';

const FIELD_CAP = 2048;

/** Names under which a secret could stand, at the first two levels. */
const SECRET_NAMES = ['key', 'token', 'secret', 'proof', 'authorization', 'Authorization', 'cookie', 'password', 'headers'];

export interface LogOptions {
  readonly dataDir: string;
  readonly level?: LogLevel;
  /** True writes readable lines to stderr too. */
  readonly terminal: boolean;
}

export interface Log {
  readonly log: Logger;
  /** Writes everything down; nothing is logged after it. */
  close(): Promise<void>;
}

export async function createLog({ dataDir, level = 'info', terminal }: LogOptions): Promise<Log> {
  const folder = join(dataDir, 'log');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = pino.destination({ dest: join(folder, 'callsheet.log'), append: true, mkdir: false, sync: false, mode: 0o600 });
  // On a full disk lines are lost; the daemon must not be.
  file.on('error', () => undefined);
  // The logger itself is silent then; its streams know no such level.
  const threshold = level === 'silent' ? 'fatal' : level;
  const streams: pino.StreamEntry[] = [{ stream: file, level: threshold }];
  if (terminal) {
    const { default: pretty } = await import('pino-pretty');
    streams.push({
      stream: pretty({ destination: 2, sync: true, ignore: 'pid,hostname', translateTime: 'HH:MM:ss' }),
      level: threshold,
    });
  }
  return {
    log: createLogger(pino.multistream(streams), level),
    close: () =>
      new Promise((resolve) => {
        file.once('close', resolve);
        // What cannot be written down now is not waited for.
        file.once('error', () => resolve());
        file.end();
      }),
  };
}

/** One record is one line whatever the fields hold: pino escapes line ends and control characters. */
export function createLogger(stream: pino.DestinationStream, level = 'info'): Logger {
  return pino(
    {
      level,
      redact: { paths: SECRET_NAMES.flatMap((name) => [name, `*.${name}`]), censor: '[secret]' },
      formatters: { log: (fields) => Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, capped(value)])) },
    },
    stream,
  );
}

// --- helpers ---

// C1 controls and direction marks pass JSON unescaped and would act on a terminal.
const ACTIVE = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

function capped(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const text = value.replaceAll(ACTIVE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return text.length <= FIELD_CAP ? text : `${text.slice(0, FIELD_CAP)}… (${text.length} characters)`;
}
