import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Finding } from '#cli/doctor/finding.ts';
import { freshPlace, jsonLines, ROOT, runCli, startCli } from './run-cli.ts';

const POSTCARD = join(ROOT, 'templates', 'image', 'pixel-postcard');

/** Something that listens where a ComfyUI was expected. */
async function stranger(): Promise<string> {
  const server = createServer((_request, response) => response.end('<html>Welcome to nginx</html>'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('callsheet check', () => {
  it('passes the templates that come with Callsheet, offline and against the sandbox', async () => {
    const { env } = freshPlace();
    const offline = await runCli(['check', 'templates', '--json'], env);
    expect(offline).toMatchObject({ code: 0, stderr: '' });
    const [{ files }] = jsonLines(offline.stdout) as unknown as [{ readonly files: readonly { readonly path: string }[] }];
    expect(files.map(({ path }) => path)).toContain('templates/image/pixel-postcard');
    const sandbox = await runCli(['check', 'templates', '--backend', 'sandbox'], env);
    expect(sandbox.stderr).not.toContain(' error ');
    expect(sandbox.code).toBe(0);
  });

  it('reports each broken file with place and cure, paths as they were given, and goes on', async () => {
    const { folder, env } = freshPlace();
    writeFileSync(join(folder, 'comma.json'), '{\n  "1": {"class_type": "A" "inputs": {}}\n}');
    writeFileSync(
      join(folder, 'loop.json'),
      '{"1":{"class_type":"A","inputs":{"x":["2",0]}},"2":{"class_type":"A","inputs":{"x":["1",0]}}}',
    );
    const { code, stderr, stdout } = await runCli(['check', 'comma.json', 'loop.json'], env, { cwd: folder });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^comma\.json:2:\d+ error JSON_SYNTAX .+\n {4}\S/);
    expect(stderr).toMatch(/loop\.json:1:\d+ error GRAPH_CYCLE /);
    expect(stdout).toContain('comma.json: 1 error');
  });

  it('[TO3] warns of outputs that nobody here can convert', { timeout: 120_000 }, async () => {
    const { folder, env } = freshPlace();
    const graph = {
      '1': { class_type: 'EmptyImage', inputs: { width: 64, height: 32, batch_size: 4, color: 255 } },
      '2': { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'x' } },
    };
    writeFileSync(join(folder, 'graph.json'), JSON.stringify(graph));
    const manifest = {
      format: 1,
      id: 'film',
      version: '1.0.0',
      steps: [{ id: 'draw', workflow: 'graph.json', outputs: { stills: '2' } }],
      outputs: {
        small: { from: '{steps.draw.stills}', convert: { to: 'jpg' } },
        film: { from: '{steps.draw.stills}', convert: { to: 'mp4' } },
      },
    };
    writeFileSync(join(folder, 'template.json'), JSON.stringify(manifest, null, 2));
    const without = await runCli(['check', '.'], { ...env, CALLSHEET_FFMPEG: '/nowhere/ffmpeg' }, { cwd: folder });
    expect(without.code).toBe(0);
    expect(without.stderr).toMatch(
      /template\.json:\d+:\d+ warning FFMPEG_MISSING The output "film" is converted by ffmpeg, but CALLSHEET_FFMPEG names no program: \/nowhere\/ffmpeg\. /,
    );
    const fake = join(folder, 'ffmpeg');
    writeFileSync(fake, '#!/bin/sh\n', { mode: 0o755 });
    expect((await runCli(['check', '.'], { ...env, CALLSHEET_FFMPEG: fake }, { cwd: folder })).stderr).toBe('');
  });

  it('finds unknown node classes with a saved object info', async () => {
    const { folder, env } = freshPlace();
    writeFileSync(join(folder, 'info.json'), '{"SaveImage":{"input":{"required":{"images":["IMAGE"]}},"output":[],"output_node":true}}');
    writeFileSync(join(folder, 'graph.json'), '{"1":{"class_type":"KSampler","inputs":{}}}');
    const { code, stderr } = await runCli(['check', 'graph.json', '--object-info', 'info.json'], env, { cwd: folder });
    expect(code).toBe(1);
    expect(stderr).toContain('NODE_CLASS_UNKNOWN');
  });
});

describe('callsheet templates', () => {
  it('lists, shows and renders without leaving anything behind', async () => {
    const { env } = freshPlace();
    const list = await runCli(['templates', '--json'], env);
    expect(jsonLines(list.stdout)).toEqual([
      { templates: expect.arrayContaining([expect.objectContaining({ id: 'character-pipeline', runnable: true })]) },
    ]);
    const show = await runCli(['templates', 'show', 'text-to-image-lora'], env);
    expect(show.stdout).toContain('parameters\n');
    const render = await runCli(['templates', 'render', 'text-to-image-lora', '-p', 'seed=18446744073709551615'], env);
    expect(render).toMatchObject({ code: 0, stderr: '' });
    expect(render.stdout).toContain('18446744073709551615');
    expect((await runCli(['runs', 'list'], env)).stdout).toBe('There are no runs yet.\n');
  });
});

describe('callsheet sandbox', () => {
  it('says where it listens, answers as ComfyUI does, and stops at Ctrl-C', async () => {
    const { env } = freshPlace();
    const sandbox = startCli(['sandbox', '--json', '--latency', '0'], env);
    const { type, url, pid } = JSON.parse(await sandbox.line(() => true)) as Readonly<Record<string, unknown>>;
    expect({ type, pid }).toEqual({ type: 'ready', pid: sandbox.pid });
    const stats = (await (await fetch(`${String(url)}/system_stats`)).json()) as { readonly system: object };
    expect(stats.system).toHaveProperty('comfyui_version');
    const run = await runCli(
      ['run', 'pixel-postcard', '-p', `photo=${join(POSTCARD, 'example.png')}`, '--backend', `comfyui=${String(url)}`],
      env,
    );
    expect(run.code).toBe(0);
    sandbox.kill('SIGINT');
    expect((await sandbox.ended).code).toBe(0);
  });

  it('refuses a fault that it does not know', async () => {
    const { folder, env } = freshPlace();
    writeFileSync(join(folder, 'faults.json'), '{"htmlStatsu": 502}');
    const { code, stderr } = await runCli(['sandbox', '--faults', 'faults.json'], env, { cwd: folder });
    expect(code).toBe(1);
    expect(stderr).toContain('"htmlStatsu"');
  });
});

describe('callsheet doctor', () => {
  const findingsOf = (stdout: string) => (jsonLines(stdout)[0] as { readonly findings: readonly Finding[] }).findings;

  it('names everything it looked at, and blocks nothing on a sound machine', async () => {
    const { env } = freshPlace();
    const { code, stdout } = await runCli(['doctor', '--json'], env);
    expect(code).toBe(0);
    const checks = new Set(findingsOf(stdout).map(({ check }) => check));
    expect([...checks].toSorted()).toEqual([
      'blender',
      'comfyui',
      'daemon',
      'data',
      'disk',
      'ffmpeg',
      'node',
      'sharp',
      'sqlite',
      'templates',
    ]);
  });

  it('blocks on a configured backend that is no ComfyUI, and says what answers there', async () => {
    const { env } = freshPlace();
    const url = await stranger();
    const { code, stdout } = await runCli(['doctor', '--json'], { ...env, CALLSHEET_BACKENDS: `comfyui=${url}` });
    expect(code).toBe(1);
    const message = `Something else than ComfyUI answers at ${url}: HTTP 200 with an HTML page.`;
    expect(findingsOf(stdout)).toContainEqual(
      expect.objectContaining({ check: 'comfyui', status: 'error', message, hint: expect.any(String) }),
    );
  });

  it('warns of an ffmpeg that is named and not there, and blocks nothing for it', async () => {
    const { env } = freshPlace();
    const { code, stdout } = await runCli(['doctor', '--json'], { ...env, CALLSHEET_FFMPEG: '/nowhere/ffmpeg' });
    expect(code).toBe(0);
    const message = 'CALLSHEET_FFMPEG names no program: /nowhere/ffmpeg.';
    expect(findingsOf(stdout)).toContainEqual({
      check: 'ffmpeg',
      status: 'warning',
      message,
      hint: expect.stringContaining('CALLSHEET_FFMPEG'),
    });
  });

  it('blocks on a data directory that is a file', async () => {
    const { folder, env } = freshPlace();
    writeFileSync(join(folder, 'data'), '');
    const { code, stdout } = await runCli(['doctor'], env);
    expect(code).toBe(1);
    expect(stdout).toContain('is not a directory');
    expect(stdout).toContain('Something blocks runs');
  });

  it('sees the daemon that holds the data directory', async () => {
    const { folder, env } = freshPlace();
    mkdirSync(join(folder, 'empty'));
    const daemon = startCli(['daemon', '--json'], env, { cwd: join(folder, 'empty') });
    await daemon.line((text) => text.includes('"ready"'));
    const { stdout } = await runCli(['doctor', '--json'], env);
    expect(findingsOf(stdout)).toContainEqual(
      expect.objectContaining({ check: 'daemon', status: 'ok', message: expect.stringContaining(String(daemon.pid)) }),
    );
    daemon.kill('SIGTERM');
    expect((await daemon.ended).code).toBe(0);
  });
});
