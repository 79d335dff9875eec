import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { freshPlace, ROOT, startCli } from './run-cli.ts';

/** A project of somebody else with the packed package in it, unpacked as `npm install` does. */
let project: string;

beforeAll(() => {
  const { folder } = freshPlace();
  project = join(folder, 'project');
  const home = join(project, 'node_modules', 'callsheet');
  mkdirSync(home, { recursive: true });
  // The tarball itself: what package.json forgets to name is missing here as it would be for users.
  const packed =
    execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: ROOT, encoding: 'utf8' }).trim().split('\n').at(-1) ??
    '';
  execFileSync('tar', ['-xzf', join(folder, packed), '-C', home, '--strip-components=1']);
  // What the package depends on, and the compiler and types that every TypeScript project on Node has.
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    if (name !== '.bin' && name !== 'callsheet') symlinkSync(join(ROOT, 'node_modules', name), join(project, 'node_modules', name));
  }
  writeFileSync(join(project, 'package.json'), '{"type":"module"}');
  writeFileSync(
    join(project, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: { module: 'nodenext', target: 'es2024', strict: true, noEmit: true, types: ['node'] },
      include: ['*.ts'],
    }),
  );
});

const PROGRAM = `
import { connectToDaemon, waitForRun } from 'callsheet/client';
const client = await connectToDaemon(process.argv[2] === undefined ? {} : { dataDir: process.argv[2] });
const { templates } = await client.call('template/list');
const { runId } = await client.call('run/start', { template: 'pixel-postcard', parameters: { photo: process.argv[3] }, requestKey: 'once' });
const run = await waitForRun(client, runId);
const kinds: string[] = run.artifacts.map(({ kind }) => kind);
console.log(JSON.stringify({ status: run.status, kinds, found: templates.some(({ id }) => id === 'pixel-postcard') }));
await client.close();
`;

const HEAD = "import { connectToDaemon } from 'callsheet/client';\nconst client = await connectToDaemon();\n";
/** By the name of a file: what a program says, and the error of the compiler in its third line. */
const WRONG: Readonly<Record<string, readonly [string, RegExp]>> = {
  'a method that does not exist': ["await client.call('run/fly');", /TS2345: Argument of type '"run\/fly"'/],
  'a param that does not exist': ["await client.call('run/get', { runId: 'x', why: 1 });", /TS2353: .* 'why' does not exist/],
  'a value of another type': [
    "await client.call('run/list', { limit: 'ten' });",
    /TS2322: Type 'string' is not assignable to type 'number'/,
  ],
  'a member that no result has': ["(await client.call('run/start', { template: 'x' })).nothing;", /TS2339: Property 'nothing'/],
  'progress of a method that tells none': ["await client.call('run/list', {}, { onProgress: () => undefined });", /TS2322/],
  'a notification that does not exist': [
    "await connectToDaemon({ onNotification: (name) => void (name === 'moon') });",
    /TS2367: .*"moon"/,
  ],
  'another door than those of the package': ["import { startDaemon } from 'callsheet/dist/daemon/daemon.js'; void startDaemon;", /TS2307/],
};

describe('callsheet/client of the packed package', () => {
  let errors: readonly string[] = [];
  const fileOf = (what: string): string => `${what.replaceAll(' ', '-')}.ts`;

  beforeAll(() => {
    writeFileSync(join(project, 'program.ts'), PROGRAM);
    for (const [what, [code]] of Object.entries(WRONG)) writeFileSync(join(project, fileOf(what)), HEAD + code);
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    const { stdout } = spawnSync(process.execPath, [tsc, '-p', project, '--pretty', 'false'], { cwd: project, encoding: 'utf8' });
    errors = stdout.split('\n').filter((line) => /^\S/.test(line));
  });

  it('has types that fit a strict project', () => {
    expect(errors.filter((line) => !Object.keys(WRONG).some((what) => line.startsWith(`${fileOf(what)}(3,`)))).toEqual([]);
  });

  it.each(Object.entries(WRONG))('refuses %s', (what, [, error]) => {
    expect(errors.filter((line) => line.startsWith(fileOf(what)))).toEqual([expect.stringMatching(error)]);
  });

  it('finds the daemon, starts a run and waits for its end', async () => {
    const { folder, env } = freshPlace();
    const daemon = startCli(['daemon', '--json', '--root', ROOT], env, {
      launcher: join(project, 'node_modules', 'callsheet', 'bin', 'callsheet'),
      cwd: folder,
    });
    await daemon.line((line) => line.includes('"ready"'));
    const photo = join(ROOT, 'templates', 'image', 'pixel-postcard', 'example.png');
    const program = execFileSync(process.execPath, [join(project, 'program.ts'), join(folder, 'data'), photo], {
      env: { ...process.env, ...env },
      encoding: 'utf8',
    });
    expect(JSON.parse(program)).toEqual({ status: 'succeeded', kinds: expect.arrayContaining(['image']), found: true });
    daemon.kill('SIGTERM');
    expect((await daemon.ended).code).toBe(0);
  });
});
