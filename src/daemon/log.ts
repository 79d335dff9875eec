/** The log: JSON lines in the data directory, readable lines on a terminal. What stands in them is made harmless by log-fields.ts. */
import type { Writable } from 'node:stream';
import { pino } from 'pino';
import type { Level, Logger } from 'pino';
import { cleanFields, cleanLine } from './log-fields.ts';
import { openLogFile, USUAL_LOG_BYTES } from './log-file.ts';

export type { Logger } from 'pino';
export type LogLevel = Level | 'silent';

export interface LogOptions {
  readonly dataDir: string;
  readonly level?: LogLevel;
  /** True writes readable lines to stderr too. */
  readonly terminal: boolean;
  /** Of all files together. */
  readonly bytes?: number;
}

export interface Log {
  readonly log: Logger;
  /** Writes everything down; nothing is logged after it. */
  close(): Promise<void>;
}

export async function createLog({ dataDir, level = 'info', terminal, bytes = USUAL_LOG_BYTES }: LogOptions): Promise<Log> {
  const file = openLogFile(dataDir, bytes);
  // The logger itself is silent then; its streams know no such level.
  const threshold = level === 'silent' ? 'fatal' : level;
  const streams: pino.StreamEntry[] = [{ stream: file.stream, level: threshold }];
  if (terminal) {
    streams.push({ stream: await terminalStream(2), level: threshold });
  }
  return { log: createLogger(pino.multistream(streams), level), close: () => file.close() };
}

/** Readable lines: to a file descriptor, or to a stream that shows what it is given. */
export async function terminalStream(destination: number | Writable): Promise<pino.DestinationStream> {
  const { default: pretty } = await import('pino-pretty');
  return pretty({ destination, sync: true, ignore: 'pid,hostname', translateTime: 'HH:MM:ss' });
}

/** One record is one line whatever the fields hold: JSON escapes line ends, and everything else that acts is spelled out. */
export function createLogger(stream: pino.DestinationStream, level = 'info'): Logger {
  const logger = pino(
    {
      level,
      formatters: { log: cleanFields },
      // Errors are plain by then.
      serializers: { err: (value: unknown) => value },
      hooks: {
        logMethod(args, method) {
          const [first, ...rest] = args.map((arg: unknown) => (typeof arg === 'string' ? cleanLine(arg) : arg));
          method.apply(this, [first, ...rest] as Parameters<typeof method>);
        },
      },
    },
    stream,
  );
  const child = Reflect.get(logger, 'child') as unknown as (bindings: pino.Bindings, options?: pino.ChildLoggerOptions) => Logger;
  // What a child says with each of its lines passes no formatter.
  return Object.defineProperty(logger, 'child', {
    value(this: Logger, bindings: pino.Bindings, options?: pino.ChildLoggerOptions): Logger {
      return child.call(this, cleanFields(bindings), options);
    },
  });
}
