/** The clients under examples/, run as their heads say, against a real daemon. */
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cli, freshPlace, ROOT, startCli } from './run-cli.ts';

const EXAMPLES = join(ROOT, 'examples', 'clients');
const PHOTO = join(ROOT, 'templates', 'image', 'pixel-postcard', 'example.png');

/** A Python that has the package which the example names. */
const PYTHON = ['python3', '/usr/bin/python3'].find((one) => spawnSync(one, ['-c', 'import websockets']).status === 0);
if (PYTHON === undefined) {
  console.warn(
    'SKIPPED: the example client in Python is not run, because no python3 has websockets. Debian: apt-get install python3-websockets',
  );
}

const place = freshPlace();
const package_ = join(place.folder, 'node_modules', 'callsheet');
let daemon: Cli;
let runtimeFile: string;
beforeAll(async () => {
  // What `npm install callsheet` puts there, as far as the example needs it, but from the sources.
  mkdirSync(package_, { recursive: true });
  writeFileSync(
    join(package_, 'package.json'),
    JSON.stringify({ name: 'callsheet', type: 'module', exports: { './client': './client.js' } }),
  );
  const client = pathToFileURL(join(ROOT, 'src', 'client.ts')).href;
  writeFileSync(join(package_, 'client.js'), `export * from ${JSON.stringify(client)};\n`);
  daemon = startCli(['daemon', '--json', '--backend', 'sandbox'], place.env);
  ({ runtimeFile } = JSON.parse(await daemon.line((text) => text.includes('"ready"'))) as { readonly runtimeFile: string });
});
afterAll(async () => {
  daemon.kill('SIGTERM');
  await daemon.ended;
  rmSync(place.folder, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(command: string, argv: readonly string[]): Promise<Ended> {
  const child = spawn(command, argv, { cwd: place.folder, env: { PATH: process.env['PATH'], http_proxy: 'http://127.0.0.1:9' } });
  const texts = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (texts.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (texts.stderr += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...texts }));
  });
}

function runTypeScript(...argv: readonly string[]): Promise<Ended> {
  // Beside the package, as in a project that has installed it.
  const copy = join(place.folder, 'make-postcard.ts');
  copyFileSync(join(EXAMPLES, 'typescript', 'make-postcard.ts'), copy);
  return start(process.execPath, [copy, ...argv]);
}
const runPython = (...argv: readonly string[]) => start(PYTHON ?? 'python3', [join(EXAMPLES, 'python', 'make_postcard.py'), ...argv]);

describe.each([
  ['TypeScript', runTypeScript, true],
  ['Python', runPython, PYTHON !== undefined],
] as const)('the example client in %s', (language, run, isThere) => {
  it.skipIf(!isThere)('makes a postcard, follows every event, and checks the picture', async () => {
    const out = join(place.folder, `${language}.png`);
    const { code, stdout, stderr } = await run(runtimeFile, PHOTO, out);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout.trim().split('\n');
    expect(lines.at(-1)).toBe(`ok ${out} 480x360`);
    const seqs = lines.slice(0, -1).map((text) => Number(text.split(' ')[0]));
    expect(seqs.length).toBeGreaterThan(3);
    expect(seqs).toEqual(seqs.map((_, index) => index + 1));
    expect(await sharp(out).metadata()).toMatchObject({ format: 'png', width: 480, height: 360 });
  });

  it.skipIf(!isThere)('ends with another code and the reason when there is no picture', async () => {
    const noPhoto = join(place.folder, 'notes.txt');
    writeFileSync(noPhoto, 'no picture');
    const { code, stdout, stderr } = await run(runtimeFile, noPhoto, join(place.folder, 'none.png'));
    expect(code).toBe(1);
    expect(stdout).not.toContain('ok');
    expect(stderr).toContain('notes.txt is not a picture');
  });
});
