import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { film } from '../results/embedded/samples.ts';
import { archive } from '../templates/bundle/archives.ts';
import { freshPlace, jsonLines, ROOT, runCli } from './run-cli.ts';

const GRAPH = JSON.stringify({
  '1': { class_type: 'EmptyImage', inputs: { width: 64, height: 64, batch_size: 1, color: 255 } },
  '2': { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'card' } },
});

/** A place whose commands run in a folder of their own, outside every root of the daemon but the working directory. */
function workshop() {
  const { folder, env } = freshPlace();
  const cwd = join(folder, 'work');
  mkdirSync(cwd);
  const cli = (...argv: readonly string[]) => runCli(argv, env, { cwd });
  return { folder, cwd, cli, put: (name: string, content: string | Uint8Array) => writeFileSync(join(cwd, name), content) };
}

describe('callsheet templates import, approve and export', () => {
  it('bring a film into the library, which runs once it is approved and asks again when it changes', async () => {
    const { folder, cli, put } = workshop();
    put('shot 12.mp4', film({ prompt: GRAPH }));
    const imported = await cli('templates', 'import', 'shot 12.mp4');
    expect(imported).toMatchObject({ code: 0, stderr: '' });
    expect(imported.stdout).toMatch(/^shot-12 1\.0\.0 imported: .+\nbackends +comfyui\nnodes +EmptyImage.*, SaveImage/);
    expect(imported.stdout).toContain('callsheet templates approve shot-12@1.0.0');
    expect((await cli('templates')).stdout).toMatch(/shot-12 .+ no \(not approved\)/);

    const refused = await cli('run', 'shot-12', '--backend', 'sandbox');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/error TEMPLATE_NOT_APPROVED .+\n +Look at what it uses .+ callsheet templates approve shot-12@1\.0\.0/);

    expect(await cli('templates', 'approve', 'shot-12')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('is approved as it is now'),
    });
    expect(await cli('run', 'shot-12', '--backend', 'sandbox')).toMatchObject({ code: 0 });

    const workflow = join(folder, 'data', 'templates', 'imported', 'shot-12', 'shot-12.json');
    writeFileSync(workflow, readFileSync(workflow, 'utf8').replace('255', '7'));
    expect((await cli('run', 'shot-12', '--backend', 'sandbox')).stderr).toContain('TEMPLATE_NOT_APPROVED');
  });

  it('hand a template on as a file that another data directory takes', async () => {
    const here = workshop();
    const there = workshop();
    expect(await here.cli('templates', 'export', 'pixel-postcard', '--out', 'card.callsheet', '--json')).toMatchObject({
      code: 0,
      stderr: '',
    });
    there.put('card.callsheet', readFileSync(join(here.cwd, 'card.callsheet')));
    const [answer] = jsonLines((await there.cli('templates', 'import', 'card.callsheet', '--id', 'their-card', '--json')).stdout);
    expect(answer).toMatchObject({ existing: false, from: 'bundle', template: { id: 'their-card', approval: 'pending' } });
    const folder = join(there.folder, 'data', 'templates', 'imported', 'their-card');
    const own = readFileSync(join(ROOT, 'templates', 'image', 'pixel-postcard', 'template.json'), 'utf8');
    expect(readFileSync(join(folder, 'template.json'), 'utf8')).toBe(own.replace('"pixel-postcard"', '"their-card"'));
  });

  it('overwrite nothing, and say so before any work', async () => {
    const { cli, put, cwd } = workshop();
    put('taken', 'mine');
    const { code, stderr } = await cli('templates', 'export', 'pixel-postcard', '--out', 'taken');
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('There is something at "taken" already') });
    expect(readFileSync(join(cwd, 'taken'), 'utf8')).toBe('mine');
    expect(await cli('templates', 'export', 'pixel-postcard')).toMatchObject({ code: 2, stderr: expect.stringContaining('Missing --out') });
    expect(await cli('templates', 'import', 'nothing.png')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('There is no file "nothing.png"'),
    });
  });

  it('refuse an evil bundle with one line for each entry and leave nothing of it', async () => {
    const { folder, cli, put } = workshop();
    put(
      'evil.callsheet',
      archive([
        { name: 'run.exe', content: 'MZ' },
        { name: 'template.json', content: '{}', mode: 0o120777 },
      ]),
    );
    const { code, stderr } = await cli('templates', 'import', 'evil.callsheet');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^evil\.callsheet:0:0 error BUNDLE_ENTRY_NAME .+"run\.exe".+\n {4}\S/);
    expect(stderr).toMatch(/evil\.callsheet:0:0 error BUNDLE_ENTRY_KIND .+"template\.json" is a symbolic link/);
    expect(readdirSync(join(folder, 'data', 'templates', 'imported'))).toEqual([]);
  });
});

describe('callsheet runs export', () => {
  it('writes a folder that runs as it is, and a bundle with provenance', async () => {
    const { cli, cwd } = workshop();
    const photo = join(ROOT, 'templates', 'image', 'pixel-postcard', 'example.png');
    const ran = await cli('run', 'pixel-postcard', '-p', `photo=${photo}`, '--backend', 'sandbox', '--json');
    const { run } = jsonLines(ran.stdout).at(-1) as { readonly run: { readonly runId: string } };
    const { runId } = run;
    expect(await cli('runs', 'export', runId, '--out', 'mine')).toMatchObject({ code: 0, stderr: '' });
    const again = await cli('run', './mine', '--backend', 'sandbox', '--json');
    expect(jsonLines(again.stdout).at(-1)).toMatchObject({ type: 'result', artifacts: [{ width: 720, height: 560, draft: false }] });
    expect(await cli('runs', 'export', runId, '--bundle', '--out', 'mine.callsheet')).toMatchObject({ code: 0, stderr: '' });
    expect(existsSync(join(cwd, 'mine', 'lock.json'))).toBe(false);
    expect(readFileSync(join(cwd, 'mine.callsheet')).toString('latin1')).toContain('provenance.json');
    expect(readdirSync(cwd).toSorted()).toEqual(['mine', 'mine.callsheet']);
  });

  it('says which run there is none of', async () => {
    const { cli } = workshop();
    expect((await cli('runs', 'export', 'nope', '--out', 'x')).stderr).toContain('RUN_NOT_FOUND');
  });
});
