/** Help texts, made from the command table so that they can not fall behind it. */
import type { Command, OptionTable } from './command.ts';

const WIDTH = 30;

export function programHelp(commands: readonly Command[], version: string): string {
  const width = Math.max(...commands.map(({ name }) => name.length)) + 2;
  return [
    `Callsheet ${version}: templates in, finished files out.`,
    '',
    'Usage: callsheet <command> [options]',
    '',
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`),
    '',
    'callsheet <command> --help shows the options of a command; callsheet --version the version.',
    '',
  ].join('\n');
}

export function commandHelp(command: Command): string {
  const usage = command.usage.map((text, index) => `${index === 0 ? 'Usage:' : '      '} callsheet ${text}`);
  const notes = (command.notes ?? []).flatMap((note) => ['', note]);
  return [...usage, '', command.summary, '', ...optionLines(command.options), ...notes, ''].join('\n');
}

// --- helpers ---

function optionLines(options: OptionTable): string[] {
  const rows = Object.entries(options).map(([name, { short, value, help, multiple }]): [string, string] => [
    `${short === undefined ? '   ' : `-${short},`} --${name}${value === undefined ? '' : ` ${value}`}`,
    multiple === true ? `${help} (repeatable)` : help,
  ]);
  rows.push(['-h, --help', 'this text']);
  return rows.map(([left, right]) =>
    left.length < WIDTH - 2 ? `  ${left.padEnd(WIDTH - 2)}${right}` : `  ${left}\n${' '.repeat(WIDTH)}${right}`,
  );
}
