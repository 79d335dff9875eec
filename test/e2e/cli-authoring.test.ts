import { cpSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { freshPlace, jsonLines, ROOT, runCli } from './run-cli.ts';

const SAVED = join(ROOT, 'examples', 'saved-in-comfyui', 'portrait.json');

/** docs/authoring-templates.md, as a new user goes through it. */
describe('from a workflow saved in ComfyUI to a template', () => {
  it('runs the file as it is, by the parameters of its app mode', async () => {
    const { folder, env } = freshPlace();
    const { code, stdout } = await runCli(
      ['run', SAVED, '-p', 'description=a beekeeper', '-p', 'width=64', '-p', 'height=64', '--out', folder, '--json'],
      env,
    );
    expect(code).toBe(0);
    expect(jsonLines(stdout).at(-1)).toMatchObject({ type: 'result', run: { template: 'portrait', status: 'succeeded', draft: true } });
  });

  it('shows what a dropped-in file asks for, and where that comes from', async () => {
    const { folder, env } = freshPlace();
    const shelf = join(folder, 'shelf');
    mkdirSync(shelf);
    cpSync(SAVED, join(shelf, 'portrait.json'));
    const { code, stdout } = await runCli(['templates', 'show', 'portrait', '--templates', shelf], env);
    expect(code).toBe(0);
    expect(stdout).toContain('runnable  yes');
    expect(stdout).toContain('sampling_steps  integer, 1 to 10000, default 24');
    expect(stdout).toContain('from app mode of the workflow: 6.text (CLIPTextEncode)');
  });

  it('writes a folder that is clean, once', async () => {
    const { folder, env } = freshPlace();
    const argv = ['templates', 'new', 'mine', '--from', SAVED, '--backend', 'sandbox', '--out', folder];
    const first = await runCli([...argv, '--json'], env);
    expect(first.code).toBe(0);
    expect(JSON.parse(first.stdout)).toEqual({
      id: 'mine',
      path: join(folder, 'mine'),
      files: ['portrait.json', 'portrait.api.json', 'template.json'],
      problems: [],
    });
    expect(readFileSync(join(folder, 'mine', 'portrait.json'))).toEqual(readFileSync(SAVED));
    expect((await runCli(['check', join(folder, 'mine'), '--backend', 'sandbox'], env)).code).toBe(0);
    const again = await runCli(argv, env);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('TEMPLATE_EXISTS');
  });

  it('begins from nothing among the templates of the data directory', async () => {
    const { env } = freshPlace();
    expect((await runCli(['templates', 'new', 'first'], env)).code).toBe(0);
    expect(readdirSync(join(env['CALLSHEET_DATA'] ?? '', 'templates'))).toEqual(['first']);
    const { code, stdout } = await runCli(['run', 'first', '-p', 'size=64', '--json'], env);
    expect(code).toBe(0);
    expect(jsonLines(stdout).at(-1)).toMatchObject({ run: { status: 'succeeded' } });
  });

  it.each([
    [['templates', 'new'], 'the ID of a template'],
    [['templates', 'new', 'x', '--from', '/nowhere.json'], 'There is no file'],
    [['templates', 'new', 'x', '--backend', 'sandbox'], '--from FILE'],
    [['templates', 'new', 'x', '--from', SAVED, '--backend', 'sandbox', '--object-info', 'y'], 'not both'],
  ])('says in one sentence what is wrong with %j', async (argv, sentence) => {
    const { env } = freshPlace();
    const { code, stderr } = await runCli(argv, env);
    expect(code).toBe(2);
    expect(stderr).toContain(sentence);
  });
});
