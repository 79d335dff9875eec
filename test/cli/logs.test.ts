// `callsheet logs` over files that a daemon wrote.
import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runCli } from '#cli/cli.ts';
import { COMMANDS } from '#cli/commands.ts';
import { createFakeIo } from './fake-io.ts';

const [ONE, TWO] = ['01a22d0d-1baa-77ea-a7b7-6225a9193ecb', '01a22d0e-0000-7000-8000-000000000000'];
const row = (msg: string, more: object = {}) =>
  `${JSON.stringify({ level: 30, time: 1_796_052_162_327, pid: 1, hostname: 'h', ...more, msg })}\n`;

function place(files: Readonly<Record<string, string>>) {
  const data = mkdtempSync(join(tmpdir(), 'callsheet-logs-'));
  onTestFinished(() => rmSync(data, { recursive: true, force: true }));
  mkdirSync(join(data, 'log'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(data, 'log', name), text);
  return { data, path: (name: string) => join(data, 'log', name) };
}

async function logs(data: string, ...args: readonly string[]) {
  const io = createFakeIo();
  const code = await runCli(COMMANDS, ['logs', '--data', data, ...args], io);
  return { code, out: io.stdout(), err: io.stderr(), messages: io.stdout().split('\n').filter(Boolean).map(messageOf) };
}

function messageOf(line: string): string {
  if (line.startsWith('{')) return (JSON.parse(line) as { readonly msg: string }).msg;
  return /^\S+ \S+ \w+\s+(.*?)(?: {2}.*)?$/.exec(line)?.[1] ?? line;
}

const FILES = {
  'callsheet.log.2': row('first', { runId: ONE }),
  'callsheet.log.1': `${row('second')}this is no line of a log\n${row('third', { runId: TWO, level: 40 })}`,
  'callsheet.log': `${row('fourth', { runId: ONE, step: 'base', level: 20 })}{"level":30,"msg":"cut o`,
};

describe('callsheet logs', () => {
  it('shows every line of all files, the oldest first, and no line that is none', async () => {
    const { data } = place(FILES);
    expect(await logs(data)).toMatchObject({ code: 0, messages: ['first', 'second', 'third', 'fourth'] });
  });

  it('shows the lines of one run, by its id or the beginning of it', async () => {
    const { data } = place(FILES);
    expect((await logs(data, ONE)).messages).toEqual(['first', 'fourth']);
    expect((await logs(data, '01A22D0E')).messages).toEqual(['third']);
    expect(await logs(data, '0ffff')).toMatchObject({ code: 1, out: '' });
  });

  it('shows a level and what is above it, and the newest of what fits', async () => {
    const { data } = place(FILES);
    expect((await logs(data, '--level', 'info')).messages).toEqual(['first', 'second', 'third']);
    expect((await logs(data, '--level', 'WARN')).messages).toEqual(['third']);
    expect((await logs(data, '--limit', '2')).messages).toEqual(['third', 'fourth']);
  });

  it('gives lines as they stand there with --json', async () => {
    const { data } = place(FILES);
    expect((await logs(data, ONE, '--json', '--level', 'info')).out).toBe(FILES['callsheet.log.2']);
  });

  it('writes fields behind the message and where an error came from below it, with nothing that acts on the terminal', async () => {
    const err = { type: 'Error', message: 'bad \u009b2J', stack: 'Error: bad\n    at one (a.ts:1:2)\nforged\n    at two (b.ts:3:4)' };
    const { data } = place({ 'callsheet.log': row('it \u001b[31m', { runId: ONE, n: 1, why: 'a b', err, '\u202ename': 1 }) });
    const { out } = await logs(data);
    expect(out.split('\n').slice(1)).toEqual(['    at one (a.ts:1:2)', '    at two (b.ts:3:4)', '']);
    expect(out).toContain(String.raw`it \u001b[31m  runId=${ONE} n=1 why="a b" \u202ename=1 error="bad \u009b2J"`);
    expect(out).not.toMatch(/(?!\n)[\p{Cc}\p{Bidi_Control}]/u);
  });

  it('says of a place without a log that there is nothing', async () => {
    expect(await logs(place({}).data)).toMatchObject({ code: 0, out: '' });
    expect(await logs(join(tmpdir(), 'callsheet-nowhere'))).toMatchObject({ code: 0, out: '' });
  });

  it.each([
    [['--level', 'loud'], /--level must be one of trace/],
    [['not-an-id'], /is no id of a run/],
    [[ONE, TWO], /Unexpected argument/],
    [['--limit', '0'], /limit/],
  ])('refuses %j with one sentence', async (args, why) => {
    const { code, err } = await logs(place(FILES).data, ...args);
    expect(code).toBe(2);
    expect(err).toMatch(why);
  });

  it('goes on with --follow over files that are moved on, without a gap or a double, until Ctrl-C', async () => {
    const { data, path } = place({ 'callsheet.log': row('a', { runId: ONE }) });
    const io = createFakeIo();
    const ended = runCli(COMMANDS, ['logs', ONE, '--follow', '--json', '--data', data], io);
    const shown = () => io.stdout().split('\n').filter(Boolean).map(messageOf);
    await expect.poll(shown, { timeout: 20_000 }).toEqual(['a']);
    const [half, rest] = [row('b', { runId: ONE }).slice(0, 40), row('b', { runId: ONE }).slice(40)];
    appendFileSync(path('callsheet.log'), half);
    await new Promise((resolve) => setTimeout(resolve, 300));
    appendFileSync(path('callsheet.log'), `${rest}${row('not this one', { runId: TWO })}`);
    // Twice between two looks.
    renameSync(path('callsheet.log'), path('callsheet.log.2'));
    appendFileSync(path('callsheet.log.2'), row('c', { runId: ONE }));
    writeFileSync(path('callsheet.log.1'), row('d', { runId: ONE }));
    writeFileSync(path('callsheet.log'), row('e', { runId: ONE }));
    await expect.poll(shown, { timeout: 20_000 }).toEqual(['a', 'b', 'c', 'd', 'e']);
    io.interrupt();
    expect(await ended).toBe(0);
    expect(shown()).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('waits with --follow for the first line of a daemon that was never there', async () => {
    const { data, path } = place({});
    const io = createFakeIo();
    const ended = runCli(COMMANDS, ['logs', '-f', '--data', data], io);
    await new Promise((resolve) => setTimeout(resolve, 300));
    writeFileSync(path('callsheet.log'), row('hello'));
    await expect.poll(() => io.stdout(), { timeout: 20_000 }).toContain('hello');
    io.interrupt();
    expect(await ended).toBe(0);
  });
});
