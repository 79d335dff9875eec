/** `callsheet templates migrate`: what would change, what is written, exit codes. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { runCli } from '#cli/cli.ts';
import { COMMANDS } from '#cli/commands.ts';
import { startFakeComfyUI } from '../fakes/fake-comfyui.ts';
import { createFakeIo } from './fake-io.ts';

const OLD = { '1': { class_type: 'SDV_img2vid_Conditioning', inputs: {} } };
const INFO = { SVD_img2vid_Conditioning: { input: { required: {} }, output: [], output_node: true } };
const DRAFT = '{ "name": "Hero", "id": "hero", "version": 2, "workflow": "w.json" }';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function prepare() {
  const cwd = mkdtempSync(join(tmpdir(), 'callsheet-migrate-'));
  folders.push(cwd);
  mkdirSync(join(cwd, 'shelf/hero'), { recursive: true });
  writeFileSync(join(cwd, 'shelf/hero/template.json'), DRAFT);
  writeFileSync(join(cwd, 'shelf/hero/w.json'), JSON.stringify(OLD));
  writeFileSync(join(cwd, 'shelf/bare.json'), JSON.stringify(OLD));
  writeFileSync(join(cwd, 'info.json'), JSON.stringify(INFO));
  const env = { HOME: cwd, CALLSHEET_DATA: join(cwd, 'data'), CALLSHEET_RUNTIME_DIR: join(cwd, 'rt'), CALLSHEET_LOG_LEVEL: 'silent' };
  return {
    manifest: () => readFileSync(join(cwd, 'shelf/hero/template.json'), 'utf8'),
    graph: () => readFileSync(join(cwd, 'shelf/hero/w.json'), 'utf8'),
    path: (name: string) => join(cwd, name),
    run: async (...argv: string[]) => {
      const io = createFakeIo({ cwd, env });
      const code = await runCli(COMMANDS, ['templates', 'migrate', ...argv], io);
      return { code, out: io.stdout(), err: io.stderr() };
    },
  };
}

describe('callsheet templates migrate', () => {
  it('shows each change with its place and writes nothing', async () => {
    const { run, manifest, path } = prepare();
    const { code, out, err } = await run('shelf');
    expect(code).toBe(0);
    expect(out).toBe(`${path('shelf/hero')}: 1 file would change; --write changes it\n`);
    expect(err).toContain(`${path('shelf/hero/template.json')}:1:3 info TEMPLATE_FORMAT_MIGRATED "name" is called "title".`);
    expect(manifest()).toBe(DRAFT);
  });

  it('writes with --write, graphs too where an object info is given, and has nothing to do the second time', async () => {
    const { run, manifest, graph, path } = prepare();
    const { code, out } = await run('shelf', '--write', '--object-info', 'info.json', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      templates: [
        { path: path('shelf/bare.json'), written: true },
        { path: path('shelf/hero'), written: true, files: [path('shelf/hero/template.json'), path('shelf/hero/w.json')] },
      ],
    });
    expect(JSON.parse(manifest())).toMatchObject({
      format: 1,
      title: 'Hero',
      version: '2.0.0',
      steps: [{ id: 'main', workflow: 'w.json' }],
    });
    expect(graph()).toBe(JSON.stringify(OLD).replace('SDV', 'SVD'));
    expect((await run('shelf', '--write', '--object-info', 'info.json')).out).toBe('Everything is as it is written today.\n');
  });

  it('finds templates by their ids, and all of the library without any', async () => {
    const { run, manifest, path } = prepare();
    expect((await run('--templates', 'shelf')).out).toContain(`${path('shelf/hero')}: 1 file would change`);
    expect((await run('hero', '--templates', 'shelf', '--write')).out).toBe(`${path('shelf/hero')}: 1 file written\n`);
    expect(manifest()).toContain('"format": 1');
  });

  it('takes a backend’s classes and its own list of replaced ones', async () => {
    const { run, graph, path } = prepare();
    const mine = {
      '1': { class_type: 'HouseInvert', inputs: { picture: ['2', 1] } },
      '2': { class_type: 'SDV_img2vid_Conditioning', inputs: {} },
    };
    writeFileSync(path('shelf/hero/w.json'), `\uFEFF${JSON.stringify(mine)}`);
    const fake = await startFakeComfyUI();
    onTestFinished(() => fake.close());
    fake.classes.add('SVD_img2vid_Conditioning');
    const body = JSON.stringify({ HouseInvert: [{ new_node_id: 'ImageInvert', input_mapping: [{ new_id: 'image', old_id: 'picture' }] }] });
    fake.misbehave({ path: /^\/node_replacements$/, mode: { kind: 'reply', status: 200, type: 'application/json', body } });
    const backend = ['--backend', `comfyui=${fake.url}`];
    const shown = await run('shelf/hero', ...backend);
    expect(shown).toMatchObject({ code: 0, out: `${path('shelf/hero')}: 2 files would change; --write changes them\n` });
    expect(shown.err).toContain('ImageInvert stands in for it, as the server says. Renamed: picture is image.');
    expect(graph()).toContain('HouseInvert');
    expect(await run('shelf/hero', '--write', ...backend)).toMatchObject({ code: 0, out: `${path('shelf/hero')}: 2 files written\n` });
    expect(graph()).toMatch(/^\uFEFF\{"1":\{"class_type":"ImageInvert","inputs":\{"image":\["2",1\]/);
    expect(await run('shelf/hero', ...backend)).toMatchObject({ out: 'Everything is as it is written today.\n' });
    expect(await run('shelf', ...backend, '--object-info', 'info.json')).toMatchObject({ code: 2 });
  });

  it('looks at nothing else where a folder without templates was named', async () => {
    const { run, path } = prepare();
    mkdirSync(path('empty'));
    expect(await run('empty', '--templates', 'shelf')).toMatchObject({ code: 0, out: 'Everything is as it is written today.\n' });
  });

  it('answers with code 1 what may not be written, and with 2 what is not there', async () => {
    const { run, manifest, path } = prepare();
    chmodSync(path('shelf/hero/template.json'), 0o444);
    const { code, out, err } = await run('shelf', '--write');
    expect([code, out]).toEqual([1, `${path('shelf/hero')}: not written\n`]);
    expect(err).toContain('TEMPLATE_NOT_WRITTEN');
    expect(manifest()).toBe(DRAFT);
    expect(await run('no/such')).toMatchObject({ code: 2, err: 'callsheet templates: There is no file or folder "no/such".\n' });
  });
});
