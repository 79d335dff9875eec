// Choices from the command line: given beforehand, made by another command, across a killed process, and asked at a terminal.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCli } from '#cli/cli.ts';
import { COMMANDS } from '#cli/commands.ts';
import type { Io } from '#cli/io.ts';
import type { RunView } from '#protocol/views.ts';
import { createFakeIo, type FakeIo } from '../cli/fake-io.ts';
import { freshPlace, jsonLines, ROOT, startCli } from './run-cli.ts';

const TEMPLATES = join(ROOT, 'test', 'fixtures', 'templates');
const RUN = ['run', 'with-choice', '--templates', TEMPLATES, '--backend', 'sandbox'];

let place: ReturnType<typeof freshPlace>;
beforeEach(() => {
  place = freshPlace();
});
afterEach(() => rmSync(place.folder, { recursive: true, force: true }));

/** A command in this process, as quick as the machine is; what it prints can be waited for. */
function command(argv: readonly string[], ask?: NonNullable<Io['ask']>) {
  const io = createFakeIo({ env: place.env, cwd: place.folder, ...(ask === undefined ? {} : { ask, columns: 100 }) });
  return { io, code: runCli(COMMANDS, argv, io) };
}

async function prints(io: FakeIo, text: string): Promise<void> {
  await expect.poll(() => io.stdout() + io.stderr(), { timeout: 20_000 }).toContain(text);
}

async function shown(runId: string): Promise<RunView> {
  const { io, code } = command(['runs', 'show', runId, '--json']);
  await code;
  return (JSON.parse(io.stdout()) as { readonly run: RunView }).run;
}
const resultIn = (stdout: string) => (jsonLines(stdout).at(-1) as unknown as { readonly run: RunView }).run;
const runIdIn = (stdout: string) => /^run (\S+)/m.exec(stdout)?.[1] ?? '';

/** The blue of the last picture: the fixture paints blue 1 and blue 2 and inverts what is picked. */
async function blueOf(run: RunView): Promise<number | undefined> {
  return (await sharp(run.artifacts.at(-1)?.path).raw().toBuffer())[2];
}

describe('a run with a choice on the command line', () => {
  it('takes the pick that was given with it', async () => {
    const { io, code } = command([...RUN, '--choose', 'picked=1', '--json']);
    expect(await code).toBe(0);
    const run = resultIn(io.stdout());
    expect(run).toMatchObject({ status: 'succeeded', choices: [{ status: 'made', pickedBy: 'person' }] });
    expect(await blueOf(run)).toBe(255 - 2);
  });

  it('refuses a pick that cannot be meant before anything runs', async () => {
    for (const [given, says] of [
      ['piked=0', 'Did you mean "picked"?'],
      ['picked', 'NAME=VALUE'],
    ] as const) {
      const { io, code } = command([...RUN, '--choose', given]);
      expect({ code: await code, stderr: io.stderr() }).toEqual({ code: 2, stderr: expect.stringContaining(says) });
    }
    const { io, code } = command(['runs', '--json']);
    await code;
    expect(JSON.parse(io.stdout())).toEqual({ runs: [] });
  });

  it('ends with the candidates when the pick given is none of them, and the run waits on', async () => {
    const { io, code } = command([...RUN, '--choose', 'picked=7']);
    expect(await code).toBe(1);
    expect(io.stderr()).toContain("CHOICE_INVALID Choice 'picked': '7' is not among the candidates.");
    expect(io.stderr()).toContain('Pick 1 of: 0 paint_picture.png, 1 paint-02_picture.png.');
    expect(await shown(runIdIn(io.stdout()))).toMatchObject({ status: 'waiting' });
  });

  it('says what is awaited where nobody can be asked, and goes on when another command chooses', async () => {
    const run = command(RUN);
    await prints(run.io, '  [1] ');
    const runId = runIdIn(run.io.stdout());
    await prints(run.io, `callsheet runs choose ${runId} INDEX --into picked`);
    const show = command(['runs', 'show', runId]);
    await show.code;
    expect(show.io.stdout()).toContain("choice 'picked' after step paint: pick 1 of 2");
    const nothing = command(['runs', 'choose', runId]);
    expect({ code: await nothing.code, stderr: nothing.io.stderr() }).toEqual({
      code: 2,
      stderr: expect.stringContaining('Missing VALUE'),
    });
    const wrong = command(['runs', 'choose', runId, '0', '1']);
    expect({ code: await wrong.code, stderr: wrong.io.stderr() }).toEqual({
      code: 1,
      stderr: expect.stringContaining('takes 1, and 2 were picked'),
    });
    const made = command(['runs', 'choose', runId, 'paint-02_picture.png', '--json']);
    await made.code;
    expect(JSON.parse(made.io.stdout())).toEqual({ runId, into: 'picked', picked: [expect.any(String)], status: 'running' });
    expect(await run.code).toBe(0);
    expect(run.io.stdout()).toContain('choice picked made');
    expect(await blueOf(await shown(runId))).toBe(255 - 2);
    const late = command(['runs', 'choose', runId, '0']);
    await late.code;
    expect(late.io.stderr()).toContain("CHOICE_NOT_WAITING The choice 'picked' was made already: paint-02_picture.png.");
  });

  it('asks at a terminal, and asks again after an answer that does not fit', async () => {
    const answers = ['9', 'paint-02_picture.png'];
    const questions: string[] = [];
    const { io, code } = command(RUN, async (question) => {
      questions.push(question);
      return answers.shift();
    });
    expect(await code).toBe(0);
    expect(questions).toEqual(Array.from({ length: 2 }, () => 'Index, file name or id; Enter to leave it open: '));
    expect(io.stdout()).toContain("'9' is not among the candidates.");
    expect(await blueOf(await shown(runIdIn(io.stdout())))).toBe(255 - 2);
  });

  it('takes its question back when somebody else chooses', async () => {
    const asked = Promise.withResolvers<void>();
    const run = command(RUN, (_, signal) => {
      asked.resolve();
      return new Promise((resolve) => {
        signal.addEventListener('abort', () => resolve(undefined));
      });
    });
    await asked.promise;
    const runId = runIdIn(run.io.stdout());
    expect(await command(['runs', 'choose', runId, '0', '--into', 'picked']).code).toBe(0);
    expect(await run.code).toBe(0);
    expect(await blueOf(await shown(runId))).toBe(255 - 1);
  });

  it('waits across a process that was killed, with the same candidates', async () => {
    const run = startCli([...RUN, '--json'], place.env);
    await run.line((text) => text.includes('"status":"waiting"'));
    const { runId } = JSON.parse(await run.line((text) => text.includes('"type":"run"'))) as { readonly runId: string };
    const offer = JSON.parse(await run.line((text) => text.includes('"choice.offered"'))) as {
      readonly event: { readonly candidates: object[] };
    };
    run.kill('SIGKILL');
    await run.ended;
    const waiting = await shown(runId);
    expect(waiting).toMatchObject({ status: 'waiting', choices: [{ status: 'waiting', candidates: offer.event.candidates }] });
    const first = waiting.choices?.[0]?.candidates[0]?.id ?? '';
    const made = command(['runs', 'choose', runId, first]);
    expect({ code: await made.code, stderr: made.io.stderr() }).toEqual({
      code: 0,
      stderr: expect.stringContaining(`runs watch ${runId}`),
    });
    const watch = command(['runs', 'watch', runId, '--json']);
    expect(await watch.code).toBe(0);
    const ended = resultIn(watch.io.stdout());
    expect(ended.choices?.[0]?.picked).toEqual([first]);
    expect(await blueOf(ended)).toBe(255 - 1);
    expect(ended.steps.flatMap(({ attempts }) => attempts)).toHaveLength(3);
  });
});
