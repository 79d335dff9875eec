import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ArtifactView, RunView } from '#protocol/views.ts';
import { freshPlace, jsonLines, ROOT, runCli, startCli } from './run-cli.ts';

const PHOTO = join(ROOT, 'templates', 'image', 'pixel-postcard', 'example.png');
const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47]);

interface Result {
  readonly type: string;
  readonly run: RunView;
  readonly artifacts: readonly ArtifactView[];
}

/** Long enough on the sandbox to be interrupted in the middle. */
function slowWorkflow(folder: string): string {
  const node = (class_type: string, inputs: object) => ({ class_type, inputs });
  const graph = {
    1: node('CheckpointLoaderSimple', { ckpt_name: 'sd_xl_base_1.0.safetensors' }),
    2: node('CLIPTextEncode', { text: '{prompt}', clip: ['1', 1] }),
    3: node('EmptyLatentImage', { width: 64, height: 64, batch_size: 1 }),
    4: node('KSampler', {
      seed: 1,
      steps: 10_000,
      cfg: 8,
      sampler_name: 'euler',
      scheduler: 'normal',
      denoise: 1,
      model: ['1', 0],
      positive: ['2', 0],
      negative: ['2', 0],
      latent_image: ['3', 0],
    }),
    5: node('VAEDecode', { samples: ['4', 0], vae: ['1', 2] }),
    6: node('SaveImage', { images: ['5', 0], filename_prefix: 'slow' }),
  };
  const path = join(folder, 'slow.json');
  writeFileSync(path, JSON.stringify(graph));
  return path;
}

describe('callsheet run', () => {
  it('executes a template without a daemon and ends with the result line', async () => {
    const { folder, env } = freshPlace();
    const out = join(folder, 'pictures');
    const { code, stdout, stderr } = await runCli(['run', 'pixel-postcard', '-p', `photo=${PHOTO}`, '--out', out, '--json'], env);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const lines = jsonLines(stdout);
    expect(lines[0]).toMatchObject({ type: 'run', template: 'pixel-postcard' });
    const seqs = lines.filter(({ type }) => type === 'event').map(({ seq }) => seq);
    expect(seqs).toEqual(seqs.map((_, index) => index + 1));
    const result = lines.at(-1) as unknown as Result;
    expect(result).toMatchObject({ type: 'result', run: { status: 'succeeded', draft: false, progress: 1 } });
    expect(result.artifacts.length).toBeGreaterThan(0);
    for (const { path } of result.artifacts) {
      expect(path.startsWith(out)).toBe(true);
      expect(readFileSync(path).subarray(0, 4)).toEqual(PNG);
    }
    for (const { path } of result.run.artifacts) expect(existsSync(path)).toBe(true);
  });

  it('prints one line for each change where no terminal watches, without colours', async () => {
    const { env } = freshPlace();
    const { code, stdout } = await runCli(['run', 'pixel-postcard', '-p', `photo=${PHOTO}`], env);
    expect(code).toBe(0);
    expect(stdout).toContain('\nrun succeeded\n');
    expect(stdout).not.toContain('\u001b');
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/^ {2}\/.*\.png {2}\d+×\d+/);
  });

  // Seven processes, one after another.
  it('uses the running daemon, which other commands see too', { timeout: 120_000 }, async () => {
    const { folder, env } = freshPlace();
    const daemon = startCli(['daemon', '--json'], env, { cwd: folder });
    const ready = JSON.parse(await daemon.line((text) => text.includes('"ready"'))) as Readonly<Record<string, unknown>>;
    expect(ready).toEqual({
      type: 'ready',
      url: expect.stringMatching(/^ws:\/\/127\.0\.0\.1:\d+\/rpc$/),
      pid: daemon.pid,
      runtimeFile: expect.any(String),
    });
    const run = await runCli(['run', 'pixel-postcard', '-p', `photo=${PHOTO}`, '--json'], env, { cwd: folder });
    expect(run.code).toBe(0);
    const { runId } = jsonLines(run.stdout)[0] as { readonly runId: string };
    const list = await runCli(['runs', '--json'], env);
    expect(jsonLines(list.stdout)).toEqual([{ runs: [expect.objectContaining({ runId, status: 'succeeded' })] }]);
    const watch = await runCli(['runs', 'watch', runId, '--json'], env);
    expect(jsonLines(watch.stdout).at(-1)).toMatchObject({ type: 'result', run: { runId } });
    const call = await runCli(['call', 'run/get', JSON.stringify({ runId }), '--json'], env);
    expect(jsonLines(call.stdout)).toEqual([{ run: expect.objectContaining({ runId }) }]);
    const second = await runCli(['daemon', '--json'], env);
    expect(second.code).toBe(3);
    expect((await runCli(['call', 'daemon/shutdown'], env)).code).toBe(0);
    expect((await daemon.ended).code).toBe(0);
  });

  it('cancels at the first Ctrl-C, waits for the proof and ends with 130', async () => {
    const { folder, env } = freshPlace();
    const run = startCli(['run', slowWorkflow(folder), '-p', 'prompt=x', '--json'], env);
    await run.line((text) => text.includes('"status":"running"') && text.includes('"step.status"'));
    run.kill('SIGINT');
    const { code, stdout } = await run.ended;
    expect(jsonLines(stdout).at(-1)).toMatchObject({ type: 'result', run: { status: 'cancelled' } });
    expect(code).toBe(130);
  });

  it('shares one daemon between commands that were started at once, until both are done', async () => {
    const { env } = freshPlace();
    const first = startCli(['run', 'pixel-postcard', '-p', `photo=${PHOTO}`], env);
    const second = startCli(['run', 'text-to-image-lora', '--json'], env);
    const [{ code: firstCode }, { code, stdout }] = await Promise.all([first.ended, second.ended]);
    expect(firstCode).toBe(0);
    expect(jsonLines(stdout).at(-1)).toMatchObject({ type: 'result', run: { status: 'succeeded', draft: true } });
    expect(code).toBe(0);
  });

  it('goes on with `runs watch` after it was killed in the middle, and repeats no finished step', async () => {
    const { env } = freshPlace();
    const killed = startCli(['run', 'character-pipeline', '--json'], env);
    const { runId } = JSON.parse(await killed.line(() => true)) as { readonly runId: string };
    await killed.line((text) => text.includes('"step":"base"') && text.includes('"status":"done"'));
    killed.kill('SIGKILL');
    await killed.ended;
    const { code, stdout, stderr } = await runCli(['runs', 'watch', runId, '--json'], env);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const lines = jsonLines(stdout);
    const seqs = lines.filter(({ type }) => type === 'event').map(({ seq }) => seq);
    expect(seqs).toEqual(seqs.map((_, index) => index + 1));
    const { run } = lines.at(-1) as unknown as Result;
    expect(run.status).toBe('succeeded');
    expect(run.steps.find(({ id }) => id === 'base')?.attempts).toHaveLength(1);
  });

  it('answers bad input with every problem, its place and its cure, and code 1', async () => {
    const { folder, env } = freshPlace();
    const template = join(folder, 'broken');
    mkdirSync(template);
    const steps = [{ id: 'base', workflow: 'base.json', set: { '1.text': '{promt}' } }];
    const manifest = { format: 1, id: 'broken', version: '1.0.0', parameters: { prompt: { type: 'text', default: '' } }, steps };
    writeFileSync(join(template, 'template.json'), JSON.stringify(manifest, undefined, 2));
    writeFileSync(join(template, 'base.json'), '{"1": {"class_type": "A", "inputs": {"text": "x" "y": 1}}}');
    const { code, stdout, stderr } = await runCli(['run', `${template}/`], env);
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/base\.json:1:\d+ error JSON_SYNTAX .*\n {4}\S/);
    expect(stderr).toContain('error TEMPLATE_NOT_RUNNABLE');
  });

  it('names parameters that do not fit before there is a run', async () => {
    const { env } = freshPlace();
    const { code, stderr, stdout } = await runCli(['run', 'pixel-postcard', '-p', 'foto=a.png', '-p', 'width=wide'], env);
    expect(code).toBe(1);
    expect(stdout).toBe('');
    for (const part of ['PARAMETER_UNKNOWN', '"foto"', 'PARAMETER_TYPE', '"width"', 'PARAMETER_MISSING', '"photo"'])
      expect(stderr).toContain(part);
  });

  it('fails with one clear error when the backend is down', async () => {
    const { env } = freshPlace();
    const quick = { ...env, CALLSHEET_GRACE_MS: '200', CALLSHEET_RETRY_MS: '50' };
    const { code, stderr } = await runCli(
      ['run', 'pixel-postcard', '-p', `photo=${PHOTO}`, '--backend', 'comfyui=http://127.0.0.1:9'],
      quick,
    );
    expect(code).toBe(1);
    expect(stderr).toMatch(/error BACKEND_UNREACHABLE .*127\.0\.0\.1:9/);
  });

  it.each([
    [['run', 'pixel-postcart'], 'callsheet run: Unknown template "pixel-postcart". Did you mean "pixel-postcard"?'],
    [['run', './nothing.json'], /^callsheet run: There is no file or folder "\.\/nothing\.json"\./],
    [['run', 'pixel-postcard', '--no-such'], /^callsheet run: Unknown option --no-such\./],
    [['run', 'pixel-postcard', '--backend', 'farm'], 'callsheet run: Unknown backend "farm". Known: sandbox.'],
    [['run', 'pixel-postcard', '--backend', 'comfyui=8188'], /^callsheet run: .*the address/],
    [['call', 'run/strat'], 'callsheet call: Unknown method "run/strat". Did you mean "run/start"?'],
  ])('answers misuse %j with one sentence and code 2', async (argv, message) => {
    const { env } = freshPlace();
    const { code, stdout, stderr } = await runCli(argv, env);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });
});
