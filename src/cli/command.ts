/** The shape of a command, and its arguments as it gets them. */
import type { Io } from './io.ts';

export interface OptionDefinition {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  readonly multiple?: boolean;
  /** Stands for the value in the help text: `DIR`. */
  readonly value?: string;
  readonly help: string;
}

export type OptionTable = Readonly<Record<string, OptionDefinition>>;

export interface Arguments {
  readonly positionals: readonly string[];
  /** Undefined when the option was not given. */
  text(name: string): string | undefined;
  /** Every value of a repeatable option, in order. */
  texts(name: string): readonly string[];
  flag(name: string): boolean;
}

export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** Without the program's name: `run <template|file> [-p name=value]…`. */
  readonly usage: readonly string[];
  readonly options: OptionTable;
  /** Paragraphs after the options. */
  readonly notes?: readonly string[];
  /** Resolves with the exit code. Throws UsageError and CallsheetError. */
  run(args: Arguments, io: Io): Promise<number>;
}

/** The command line itself is wrong: one sentence, exit code 2. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

export const DATA_OPTION: OptionTable = {
  data: { type: 'string', value: 'DIR', help: 'data directory (default: $CALLSHEET_DATA, else the one of this user)' },
};
export const JSON_OPTION: OptionTable = {
  json: { type: 'boolean', help: 'one JSON object a line instead of text' },
};
