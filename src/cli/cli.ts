/** The command line: finds the command, hands it its arguments, and turns what comes back into an exit code. */
import { closest } from '#graph/suggest.ts';
import { type Command, UsageError } from './command.ts';
import { commandHelp, programHelp } from './help.ts';
import { EXIT, line } from './io.ts';
import type { Io } from './io.ts';
import { parseArguments } from './parse-arguments.ts';
import { reportError } from './report-error.ts';
import { VERSION } from '#daemon/version.ts';

/** Never throws: the answer is the exit code. */
export async function runCli(commands: readonly Command[], argv: readonly string[], io: Io): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') return showHelp(commands, rest[0], io);
  if (name === '--version' || name === '-v' || name === 'version') {
    line(io.out, VERSION);
    return EXIT.done;
  }
  const command = commands.find((one) => one.name === name);
  if (command === undefined) return reportError(unknownCommand(commands, name), '', io, false);
  // Words after `--` are no options, not even -h.
  const before = rest.slice(0, rest.includes('--') ? rest.indexOf('--') : rest.length);
  if (before.includes('--help') || before.includes('-h')) {
    io.out.write(commandHelp(command));
    return EXIT.done;
  }
  try {
    return await command.run(parseArguments(command, rest), io);
  } catch (error) {
    return reportError(error, command.name, io, before.includes('--json'));
  }
}

// --- helpers ---

function showHelp(commands: readonly Command[], name: string | undefined, io: Io): number {
  const command = commands.find((one) => one.name === name);
  if (name !== undefined && command === undefined) return reportError(unknownCommand(commands, name), 'help', io, false);
  io.out.write(command === undefined ? programHelp(commands, VERSION) : commandHelp(command));
  return EXIT.done;
}

function unknownCommand(commands: readonly Command[], name: string): UsageError {
  const what = name.startsWith('-') ? `Unknown option ${name}.` : `Unknown command "${name}".`;
  const near = closest(
    name,
    commands.map((one) => one.name),
  );
  return new UsageError(`${what} ${near === undefined ? 'See: callsheet --help' : `Did you mean "${near}"?`}`);
}
