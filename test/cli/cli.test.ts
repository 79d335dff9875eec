import { describe, expect, it } from 'vitest';
import { runCli } from '#cli/cli.ts';
import type { Command } from '#cli/command.ts';
import { UsageError } from '#cli/command.ts';
import { COMMANDS } from '#cli/commands.ts';
import { CallsheetError } from '#protocol/errors.ts';
import { createFakeIo } from './fake-io.ts';

const failing = (error: Error): Command => ({
  name: 'fail',
  summary: 'Fails.',
  usage: ['fail'],
  options: { json: { type: 'boolean', help: 'JSON' } },
  async run() {
    throw error;
  },
});

describe('the command line', () => {
  it('lists every command without arguments and with --help', async () => {
    for (const argv of [[], ['--help'], ['help']]) {
      const io = createFakeIo();
      expect(await runCli(COMMANDS, argv, io)).toBe(0);
      for (const { name } of COMMANDS) expect(io.stdout()).toContain(`  ${name} `);
    }
  });

  it.each(COMMANDS.map(({ name }) => name))('explains every option of %s', async (name) => {
    const io = createFakeIo();
    expect(await runCli(COMMANDS, [name, '--help'], io)).toBe(0);
    const command = COMMANDS.find((one) => one.name === name);
    for (const option of Object.keys(command?.options ?? {})) expect(io.stdout()).toContain(`--${option}`);
    expect(io.stdout()).toMatch(/^Usage: callsheet /);
  });

  it('prints the version', async () => {
    const io = createFakeIo();
    expect(await runCli(COMMANDS, ['--version'], io)).toBe(0);
    expect(io.stdout()).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('suggests the nearest command', async () => {
    const io = createFakeIo();
    expect(await runCli(COMMANDS, ['template'], io)).toBe(2);
    expect(io.stderr()).toBe('callsheet: Unknown command "template". Did you mean "templates"?\n');
  });

  it('does not take the name of a command from the prototype', async () => {
    const io = createFakeIo();
    expect(await runCli(COMMANDS, ['constructor'], io)).toBe(2);
  });

  it('answers misuse with one sentence and code 2', async () => {
    const io = createFakeIo();
    expect(await runCli([failing(new UsageError('Missing PATH.'))], ['fail'], io)).toBe(2);
    expect(io.stderr()).toBe('callsheet fail: Missing PATH.\n');
  });

  it('answers a failure with code, sentence and cure, and each problem with its place', async () => {
    const problem = {
      code: 'GRAPH_CYCLE',
      severity: 'error',
      message: 'Nodes 3 and 4.',
      hint: 'Cut one link.',
      file: 'a.json',
      line: 7,
      column: 3,
    } as const;
    const io = createFakeIo();
    const error = new CallsheetError('TEMPLATE_NOT_RUNNABLE', 'It can not run.', { problems: [problem], hint: 'See above.' });
    expect(await runCli([failing(error)], ['fail'], io)).toBe(1);
    expect(io.stderr()).toBe(
      'a.json:7:3 error GRAPH_CYCLE Nodes 3 and 4.\n    Cut one link.\ncallsheet: error TEMPLATE_NOT_RUNNABLE It can not run.\n    See above.\n',
    );
    expect(io.stdout()).toBe('');
  });

  it('ends --json with an error object on stdout', async () => {
    const io = createFakeIo();
    expect(await runCli([failing(new CallsheetError('RUN_NOT_FOUND', 'No run has this id.'))], ['fail', '--json'], io)).toBe(1);
    expect(JSON.parse(io.stdout())).toEqual({
      type: 'error',
      error: { code: 'RUN_NOT_FOUND', message: 'No run has this id.', retryable: false },
    });
  });

  it('says with code 3 that another daemon holds the data directory', async () => {
    expect(await runCli([failing(new CallsheetError('STORAGE_LOCKED', 'Held.'))], ['fail'], createFakeIo())).toBe(3);
  });

  it('takes a wrong configuration as misuse', async () => {
    const io = createFakeIo();
    expect(await runCli([failing(new CallsheetError('CONFIG_INVALID', 'The port is wrong.'))], ['fail'], io)).toBe(2);
  });

  it('shows a defect without its stack', async () => {
    const io = createFakeIo();
    expect(await runCli([failing(new TypeError('x is undefined'))], ['fail'], io)).toBe(1);
    expect(io.stderr()).toContain('error INTERNAL x is undefined');
    expect(io.stderr()).not.toContain('    at ');
  });
});
