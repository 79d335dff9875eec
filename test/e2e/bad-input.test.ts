// Every kind of bad input that a person can bring, through the real command line against one daemon, which goes on after each.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFakeComfyUI } from '../fakes/fake-comfyui.ts';
import { type Cli, freshPlace, runCli, startCli } from './run-cli.ts';

const GOOD = {
  1: { class_type: 'EmptyImage', inputs: { width: 8, height: 8, batch_size: 1, color: 0 } },
  2: { class_type: 'ImageInvert', inputs: { image: ['1', 0] } },
  3: { class_type: 'SaveImage', inputs: { filename_prefix: 'x', images: ['2', 0] } },
};
const parameters = {
  width: { type: 'integer', minimum: 8, maximum: 64, default: 8 },
  photo: { type: 'image', default: null },
};
const set = { '1.width': '{width}' };

const place = freshPlace();
const templates = join(place.folder, 'templates');
const write = (id: string, workflow: unknown, step: object = {}) => {
  mkdirSync(join(templates, id), { recursive: true });
  const steps = [{ id: 'only', workflow: 'graph.json', set, ...step }];
  writeFileSync(join(templates, id, 'template.json'), JSON.stringify({ format: 1, id, version: '1.0.0', parameters, steps }, undefined, 2));
  writeFileSync(join(templates, id, 'graph.json'), typeof workflow === 'string' ? workflow : JSON.stringify(workflow, undefined, 2));
};

let daemon: Cli;
beforeAll(async () => {
  write('good', GOOD);
  write('cyclic', {
    ...GOOD,
    2: { class_type: 'ImageInvert', inputs: { image: ['4', 0] } },
    4: { class_type: 'ImageInvert', inputs: { image: ['2', 0] } },
  });
  write('dangling', { ...GOOD, 2: { class_type: 'ImageInvert', inputs: { image: ['17', 0] } } });
  write('comma', JSON.stringify(GOOD, undefined, 2).replace('"class_type": "ImageInvert",', '"class_type": "ImageInvert"'));
  write('unknown-class', { ...GOOD, 2: { class_type: 'ImageInvrt', inputs: { image: ['1', 0] } } });
  write('unknown-parameter', GOOD, { set: { '1.width': '{widht}' } });
  write('no-file', GOOD, { workflow: 'grahp.json' });
  daemon = startCli(['daemon', '--json', '--backend', 'sandbox', '--templates', templates, '--root', place.folder], place.env);
  await daemon.line((line) => line.includes('"ready"'));
});
afterAll(async () => {
  daemon.kill('SIGTERM');
  await daemon.ended;
});

const run = (...argv: readonly string[]) => runCli(['run', ...argv], place.env);
/** A person's view of a refusal: nothing on stdout of a run that never was, the finding with its place, the cure below it. */
const finding = (code: string, where: RegExp) => new RegExp(`${where.source}.* error ${code} .+\\n {4}\\S`);

describe('bad input to a running daemon', () => {
  it.each([
    ['a circle in the graph', 'cyclic', 'GRAPH_CYCLE', /graph\.json:\d+:\d+/],
    ['a link to a node that is not there', 'dangling', 'GRAPH_LINK_DANGLING', /graph\.json:\d+:\d+/],
    ['JSON with a missing comma', 'comma', 'JSON_SYNTAX', /graph\.json:1[0-9]:\d+/],
    ['a node class that the backend does not have', 'unknown-class', 'NODE_CLASS_UNKNOWN', /graph\.json:\d+:\d+/],
    ['a placeholder that names no parameter', 'unknown-parameter', '[A-Z_]+', /template\.json:\d+:\d+/],
    ['a workflow file that is not there', 'no-file', '[A-Z_]+', /template\.json:\d+:\d+/],
  ])('names code, place and cure for %s', async (_, template, code, where) => {
    const { code: exit, stderr } = await run(template);
    expect(stderr).toMatch(finding(code, where));
    expect(exit).toBe(1);
  });

  it.each([
    ['an unknown parameter', ['-p', 'widht=9'], /PARAMETER_UNKNOWN .*"widht".*\n.*"?width"?/],
    ['a value of the wrong type', ['-p', 'width=wide'], /PARAMETER_TYPE .*"width".*\n {4}.*"wide"/],
    ['a value out of bounds', ['-p', 'width=7'], /PARAMETER_OUT_OF_BOUNDS .*"width"/],
    ['a file that is not there', ['-p', `photo=${place.folder}/gone.png`], /gone\.png.*\n {4}\S/],
    ['a file outside the approved roots', ['-p', 'photo=/etc/hostname'], /error .*\n {4}\S/],
  ])('names the parameter and the cure for %s', async (_, argv, message) => {
    const { code, stderr } = await run('good', ...argv);
    expect(stderr).toMatch(message);
    expect(code).toBe(1);
  });

  it('goes on after all of it', async () => {
    const { code, stderr } = await run('good', '--json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});

describe('bad backends', () => {
  const quick = { CALLSHEET_GRACE_MS: '300', CALLSHEET_RESTART_GRACE_MS: '500', CALLSHEET_RETRY_MS: '50' };
  const against = (url: string) => {
    const { env } = freshPlace();
    return startCli(['run', join(templates, 'good'), '--backend', `comfyui=${url}`], { ...env, ...quick });
  };

  it('says that something else answers with HTML', async () => {
    const server = createServer((_, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Welcome to nginx</html>'),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    const { code, stderr } = await against(`http://${address}`).ended;
    server.close();
    expect(stderr).toMatch(new RegExp(`BACKEND_NOT_COMFYUI .*${address}.*\\n {4}\\S`));
    expect(code).toBe(1);
  });

  it('says that nothing listens, and where', async () => {
    const { code, stderr } = await against('http://127.0.0.1:9').ended;
    expect(stderr).toMatch(/BACKEND_UNREACHABLE .*127\.0\.0\.1:9.*\n {4}\S/);
    expect(code).toBe(1);
  });

  it('says that the backend died in the middle and did not come back', async () => {
    const fake = await startFakeComfyUI();
    fake.engine.plan = () => ({ holdAt: '2' });
    const cli = against(fake.url);
    await fake.engine.held();
    await fake.stop();
    const { code, stderr } = await cli.ended;
    await fake.close();
    expect(stderr).toMatch(/BACKEND_UNREACHABLE .*died.*\n {4}\S/);
    expect(code).toBe(1);
  });
});
