/** Command line arguments against a command's option table; every misfit is one sentence with a suggestion. */
import { parseArgs } from 'node:util';
import { closest } from '#graph/suggest.ts';
import { type Arguments, type Command, type OptionDefinition, UsageError } from './command.ts';

/** Node hands out tokens without judging them; the sentences are ours. Throws UsageError. */
export function parseArguments(command: Command, argv: readonly string[]): Arguments {
  const options = Object.fromEntries(
    Object.entries(command.options).map(([name, { type, short, multiple = false }]) => [
      name,
      { type, multiple, ...(short === undefined ? {} : { short }) },
    ]),
  );
  const { tokens } = parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true });
  const values = new Map<string, string[]>();
  const flags = new Set<string>();
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const definition = Object.hasOwn(command.options, token.name) ? command.options[token.name] : undefined;
    if (definition === undefined) throw unknownOption(command, token.rawName);
    if (definition.type === 'boolean') {
      if (token.value !== undefined) throw new UsageError(`Option ${token.rawName} takes no value.`);
      flags.add(token.name);
      continue;
    }
    const value = valueOf(token.rawName, definition, token.value, token.inlineValue === true);
    const list = values.get(token.name);
    if (list === undefined) values.set(token.name, [value]);
    else if (definition.multiple === true) list.push(value);
    else throw new UsageError(`Option ${token.rawName} was given twice; it takes one value.`);
  }
  return {
    positionals,
    text: (name) => values.get(name)?.[0],
    texts: (name) => values.get(name) ?? [],
    flag: (name) => flags.has(name),
  };
}

/** Exactly one positional argument. Throws UsageError that names what is missing or too much. */
export function onePositional(args: Arguments, what: string, from = 0): string {
  const value = args.positionals[from];
  if (value === undefined) throw new UsageError(`Missing ${what}.`);
  noMorePositionals(args, from + 1);
  return value;
}

export function noMorePositionals(args: Arguments, from = 0): void {
  const extra = args.positionals[from];
  if (extra !== undefined) throw new UsageError(`Unexpected argument "${extra}".`);
}

/** A whole number of an option within bounds. Throws UsageError. */
export function integerOption(args: Arguments, name: string, minimum: number, maximum: number): number | undefined {
  const text = args.text(name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^-?\d+$/.test(text) || value < minimum || value > maximum) {
    throw new UsageError(`Option --${name} must be a whole number from ${minimum} to ${maximum}, got "${text}".`);
  }
  return value;
}

/** The first positional as one of the sub-commands; `fallback` when there is none. */
export function subcommand<Name extends string>(args: Arguments, names: readonly Name[], fallback: Name): Name {
  const given = args.positionals[0];
  if (given === undefined) return fallback;
  const found = names.find((name) => name === given);
  if (found !== undefined) return found;
  throw new UsageError(`Unknown sub-command "${given}". ${suggestion(given, names)}`);
}

/** "Did you mean …?" or the whole list when nothing is near. */
export function suggestion(word: string, names: readonly string[]): string {
  const near = closest(word, names);
  return near === undefined ? `Known: ${names.join(', ')}.` : `Did you mean "${near}"?`;
}

// --- helpers ---

function valueOf(rawName: string, definition: OptionDefinition, value: string | undefined, inline: boolean): string {
  const what = definition.value ?? 'VALUE';
  if (value === undefined) throw new UsageError(`Option ${rawName} needs a value: ${rawName} ${what}`);
  if (!inline && value.length > 1 && value.startsWith('-')) {
    throw new UsageError(`Option ${rawName} needs a value but is followed by "${value}"; write ${rawName}=${value} if that is the value.`);
  }
  return value;
}

function unknownOption(command: Command, rawName: string): UsageError {
  const names = [...Object.keys(command.options), 'help'].map((name) => `--${name}`);
  const near = rawName.startsWith('--') ? closest(rawName, names) : undefined;
  const hint = near === undefined ? `See: callsheet ${command.name} --help` : `Did you mean "${near}"?`;
  return new UsageError(`Unknown option ${rawName}. ${hint}`);
}
