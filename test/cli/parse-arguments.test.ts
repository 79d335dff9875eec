import { describe, expect, it } from 'vitest';
import { type Command, UsageError } from '#cli/command.ts';
import { integerOption, onePositional, parseArguments, subcommand } from '#cli/parse-arguments.ts';

const command: Command = {
  name: 'paint',
  summary: 'Paints.',
  usage: ['paint'],
  options: {
    colour: { type: 'string', value: 'NAME', help: 'a colour' },
    param: { type: 'string', short: 'p', multiple: true, help: 'a parameter' },
    port: { type: 'string', help: 'a port' },
    json: { type: 'boolean', help: 'JSON' },
  },
  run: () => Promise.resolve(0),
};
const parse = (...argv: string[]) => parseArguments(command, argv);

describe('arguments', () => {
  it('gathers values, flags and positionals in any order', () => {
    const args = parse('one', '--colour', 'red', '-p', 'a=1', '--json', '--param=b=2', 'two');
    expect(args.positionals).toEqual(['one', 'two']);
    expect(args.text('colour')).toBe('red');
    expect(args.texts('param')).toEqual(['a=1', 'b=2']);
    expect(args.flag('json')).toBe(true);
  });

  it('takes everything after -- as positional', () => {
    expect(parse('--', '--json').positionals).toEqual(['--json']);
  });

  it.each([
    ['an unknown option, with the nearest one', ['--color', 'red'], 'Unknown option --color. Did you mean "--colour"?'],
    ['an option of a later release', ['--no-cache'], 'Unknown option --no-cache. See: callsheet paint --help'],
    ['a name of the prototype', ['--constructor'], 'Unknown option --constructor. See: callsheet paint --help'],
    ['an unknown short option', ['-x'], 'Unknown option -x. See: callsheet paint --help'],
    ['a missing value at the end', ['--colour'], 'Option --colour needs a value: --colour NAME'],
    [
      'an option in the place of a value',
      ['--colour', '--json'],
      'Option --colour needs a value but is followed by "--json"; write --colour=--json if that is the value.',
    ],
    ['a value for a flag', ['--json=yes'], 'Option --json takes no value.'],
    ['a second value where one belongs', ['--colour', 'red', '--colour', 'blue'], 'Option --colour was given twice; it takes one value.'],
  ])('refuses %s in one sentence', (_what, argv, message) => {
    expect(() => parse(...argv)).toThrow(new UsageError(message));
  });

  it('takes a value that begins with a dash when it is written with =', () => {
    expect(parse('--colour=-red').text('colour')).toBe('-red');
  });

  it('takes a negative number in -p, where the dash is not the first character', () => {
    expect(parse('-p', 'x=-5').texts('param')).toEqual(['x=-5']);
  });

  it('refuses numbers out of bounds and words', () => {
    expect(integerOption(parse('--port', '80'), 'port', 0, 100)).toBe(80);
    for (const bad of ['101', '1.5', 'many', '1e2', '']) {
      expect(() => integerOption(parse(`--port=${bad}`), 'port', 0, 100)).toThrow(UsageError);
    }
  });

  it('names what is missing and what is too much', () => {
    expect(() => onePositional(parse(), 'the colour')).toThrow('Missing the colour.');
    expect(() => onePositional(parse('a', 'b'), 'the colour')).toThrow('Unexpected argument "b".');
  });

  it('suggests the nearest sub-command', () => {
    expect(subcommand(parse(), ['list', 'show'], 'list')).toBe('list');
    expect(() => subcommand(parse('shwo'), ['list', 'show'], 'list')).toThrow(/Known: list, show\.|Did you mean "show"/);
  });
});
