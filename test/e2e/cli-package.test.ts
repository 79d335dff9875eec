import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DASHBOARD_DIR } from '#daemon/browser/static-files.ts';
import { freshPlace, ROOT, runCli } from './run-cli.ts';

/** The package as `npm pack` fills it, laid out as an installation: compiled files, no sources. */
function installPackage(folder: string): string {
  const home = join(folder, 'node_modules', 'callsheet');
  mkdirSync(home, { recursive: true });
  execFileSync(process.execPath, [join(ROOT, 'scripts', 'build.ts'), join(home, 'dist')]);
  for (const name of ['bin', 'templates', 'package.json']) cpSync(join(ROOT, name), join(home, name), { recursive: true });
  // What `npm install` would put beside; a link to the files of the checkout costs nothing.
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    if (name !== '.bin' && name !== 'callsheet') symlinkSync(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name));
  }
  return home;
}

function fakeNode(folder: string, version: string): string {
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'node'), `#!/bin/sh\necho ${version}\n`);
  chmodSync(join(bin, 'node'), 0o755);
  return bin;
}

describe('the installed package', () => {
  it('runs its compiled files on the Node that lies beside it', async () => {
    const { folder, env } = freshPlace();
    const launcher = join(installPackage(folder), 'bin', 'callsheet');
    const version = await runCli(['--version'], env, { launcher, cwd: folder });
    const { version: wanted } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { readonly version: string };
    expect(version).toEqual({ code: 0, stdout: `${wanted}\n`, stderr: '' });
    const photo = join(ROOT, 'templates', 'image', 'pixel-postcard', 'example.png');
    const run = await runCli(['run', 'pixel-postcard', '-p', `photo=${photo}`], env, { launcher, cwd: folder });
    expect(run.stderr).toBe('');
    expect(run.code).toBe(0);
  });

  it('imports nothing that is not compiled', () => {
    const { folder } = freshPlace();
    const home = installPackage(folder);
    const files = readdirSync(join(home, 'dist'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files.length).toBeGreaterThan(50);
    for (const { parentPath, name } of files) {
      expect(name).not.toMatch(/\.ts$/);
      const text = readFileSync(join(parentPath, name), 'utf8');
      expect(text.match(/\b(?:from|import)\s*\(?\s*['"](?:\.|#)[^'"]*\.ts['"]/)).toBeNull();
    }
  });
});

describe('the files for browsers', () => {
  it('lie in the package where the daemon looks for them', () => {
    const { folder } = freshPlace();
    const home = installPackage(folder);
    expect(readdirSync(join(home, 'dist', 'daemon', 'browser'))).toEqual(
      expect.arrayContaining(['open.html', 'open-page.js', 'static-files.js']),
    );
    const { files, scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      readonly files: readonly string[];
      readonly scripts: Readonly<Record<string, string>>;
    };
    expect(DASHBOARD_DIR).toBe(join(ROOT, 'dashboard', 'dist', '/'));
    expect(files).toContain('dashboard/dist');
    expect(scripts['build']).toContain('build:dashboard');
  });
});

describe('the launcher', () => {
  it('is found through links, from any directory', async () => {
    const { folder, env } = freshPlace();
    symlinkSync(join(ROOT, 'bin', 'callsheet'), join(folder, 'first'));
    symlinkSync('first', join(folder, 'second'));
    expect(await runCli(['--version'], env, { launcher: join(folder, 'second'), cwd: '/' })).toMatchObject({ code: 0, stderr: '' });
  });

  it('passes every argument on as it is', async () => {
    const { env } = freshPlace();
    const { stderr } = await runCli(['run', 'a b', "c'd"], env);
    expect(stderr).toBe('callsheet run: Unexpected argument "c\'d".\n');
  });

  it('says what to do when the only Node is too old, or there is none', async () => {
    const { folder, env } = freshPlace();
    const home = join(folder, 'lonely');
    mkdirSync(home);
    cpSync(join(ROOT, 'bin'), join(home, 'bin'), { recursive: true });
    const launcher = join(home, 'bin', 'callsheet');
    const old = await runCli(['--version'], { ...env, PATH: `${fakeNode(folder, '20.1.0')}:/usr/bin:/bin` }, { launcher });
    expect(old).toMatchObject({ code: 1, stdout: '' });
    expect(old.stderr).toBe(
      'callsheet: Node 20.1.0 is too old; version 24 or newer is needed. Install it, or add it beside Callsheet: npm install node@24\n',
    );
  });
});
