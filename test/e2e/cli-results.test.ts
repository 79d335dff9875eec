// What runs made, from the command line: listed, looked into, dropped back in, and cleaned away.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { canonicalHash } from '#graph/hash.ts';
import type { ArtifactView, RunView } from '#protocol/views.ts';
import { freshPlace, jsonLines, ROOT, runCli } from './run-cli.ts';

const POSTCARD = join(ROOT, 'templates', 'image', 'pixel-postcard');

async function postcard(env: Readonly<Record<string, string>>, ...more: readonly string[]): Promise<RunView> {
  const { code, stdout, stderr } = await runCli(
    ['run', 'pixel-postcard', '-p', `photo=${join(POSTCARD, 'example.png')}`, '--backend', 'sandbox', '--json', ...more],
    env,
  );
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return (jsonLines(stdout).find(({ type }) => type === 'result') as unknown as { readonly run: RunView }).run;
}

const json = (stdout: string) => jsonLines(stdout)[0] as Readonly<Record<string, unknown>>;

/** Many processes one after another: only one that hangs is to be ended. */
const GUARD = { timeout: 300_000 };

describe('callsheet artifacts', GUARD, () => {
  it('lists files by what is known of them, page by page, and says where one came from', async () => {
    const { env } = freshPlace();
    const run = await postcard(env);
    const list = await runCli(['artifacts', '--kind', 'image', '--type', 'image/*', '--run', run.runId, '--json'], env);
    const { artifacts } = json(list.stdout) as unknown as { readonly artifacts: readonly ArtifactView[] };
    expect(artifacts.map(({ artifactId }) => artifactId).toSorted()).toEqual(run.artifacts.map(({ artifactId }) => artifactId).toSorted());
    expect((await runCli(['artifacts', '--kind', 'audio'], env)).stdout).toBe('There is no such file.\n');
    const first = await runCli(['artifacts', '--limit', '1'], env);
    expect(first.stdout).toContain(artifacts[0]?.artifactId);
    const { artifactId = '' } = artifacts[0] ?? {};
    const show = await runCli(['artifacts', 'show', artifactId], env);
    expect(show.stdout).toMatch(new RegExp(`^run +${run.runId}$`, 'm'));
    expect(show.stdout).toMatch(/^template +pixel-postcard /m);
    const graph = await runCli(['artifacts', 'show', artifactId, '--graph'], env);
    expect(JSON.parse(graph.stdout)).toBeTypeOf('object');
    expect((await runCli(['artifacts', 'show', 'nothing'], env)).stderr).toContain('No artifact has');
  });

  it('says of a file that was not made again which run made it', async () => {
    const { env } = freshPlace();
    const [first, again] = [await postcard(env), await postcard(env)];
    const of = first.artifacts.map(({ artifactId }) => artifactId);
    for (const { artifactId, cachedFrom } of again.artifacts) {
      expect(of).toContain(cachedFrom?.artifactId);
      const { stdout } = await runCli(['artifacts', 'show', artifactId], env);
      expect(stdout).toContain(`run ${first.runId}, as ${cachedFrom?.artifactId ?? ''}: taken from the result cache`);
      expect(stdout).not.toContain('attempt');
    }
    expect(again.artifacts.length).toBeGreaterThan(0);
  });

  it.each([
    [['--kind', 'picture'], '"picture" is not a value of --kind'],
    [['--since', 'yesterday'], 'must be a date'],
    [['--draft', '--no-draft'], 'Give either'],
    [['show'], 'ID of an artifact'],
  ])('refuses %j with a sentence', async (argv, message) => {
    const { env } = freshPlace();
    const { code, stderr } = await runCli(['artifacts', ...argv], env);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});

describe('a result that is dropped back in', GUARD, () => {
  it('is the graph that was sent, when it was asked to carry it', async () => {
    const { folder, env } = freshPlace();
    const run = await postcard(env, '--embed', '--out', join(folder, 'out'));
    const [artifact] = run.artifacts;
    const graph = await runCli(['artifacts', 'show', artifact?.artifactId ?? '', '--graph'], env);
    const [name] = readdirSync(join(folder, 'out'));
    const imported = await runCli(['templates', 'import', join(folder, 'out', name ?? ''), '--id', 'again', '--backend', 'sandbox'], env);
    expect(imported.code).toBe(0);
    const home = join(env['CALLSHEET_DATA'] ?? '', 'templates', 'imported');
    const file = readdirSync(home, { recursive: true, encoding: 'utf8' }).find(
      (path) => path.endsWith('.json') && !path.endsWith('template.json') && !path.includes('lock'),
    );
    expect(canonicalHash(readFileSync(join(home, file ?? ''), 'utf8'))).toBe(canonicalHash(graph.stdout));
  });
});

describe('callsheet runs clean', GUARD, () => {
  it('removes what it said it would, keeps what is pinned, and needs to be told what', async () => {
    const { env } = freshPlace();
    const [first, second] = [await postcard(env), await postcard(env)];
    expect(await runCli(['runs', 'clean'], env)).toMatchObject({ code: 2, stderr: expect.stringContaining('Say what is to go') });
    expect((await runCli(['runs', 'pin', first.runId], env)).stdout).toContain('is pinned');
    const dry = json((await runCli(['runs', 'clean', '--keep', '0', '--dry-run', '--json'], env)).stdout);
    expect(dry).toMatchObject({ dryRun: true, runs: [{ runId: second.runId }], kept: [{ runId: first.runId, why: 'it is pinned' }] });
    const file = second.artifacts[0]?.path ?? '';
    expect(existsSync(file)).toBe(true);
    const done = await runCli(['runs', 'clean', '--keep', '0'], env);
    expect(done.stdout).toContain('1 run removed');
    expect(existsSync(dirname(file))).toBe(false);
    expect((await runCli(['runs', 'list'], env)).stdout).toContain(first.runId);
    await runCli(['runs', 'unpin', first.runId], env);
    await runCli(['runs', 'clean', '--older-than', '0s'], env);
    expect((await runCli(['runs', 'list'], env)).stdout).toBe('There are no runs yet.\n');
  });

  it('refuses a policy of the daemon that cannot be read', async () => {
    const { env } = freshPlace();
    const broken = await runCli(['runs', 'list'], { ...env, CALLSHEET_RETENTION: 'keep=all' });
    expect(broken).toMatchObject({ code: 2, stderr: expect.stringContaining('keep') });
  });
});
