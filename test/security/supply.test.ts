// What we depend on: pinned with hashes, from the registry, few, and without scripts that run when it is installed.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { countCases } from '../count-cases.ts';

const root = join(import.meta.dirname, '..', '..');
const read = (name: string): Record<string, never> => JSON.parse(readFileSync(join(root, name), 'utf8')) as Record<string, never>;

interface Locked {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
}

describe('[S32] the packages that we depend on', () => {
  const locked = Object.entries(
    (read('package-lock.json') as unknown as { readonly packages: Readonly<Record<string, Locked>> }).packages,
  ).filter(([name]) => name !== '');
  const manifest = read('package.json') as unknown as {
    readonly dependencies: Readonly<Record<string, string>>;
    readonly devDependencies: Readonly<Record<string, string>>;
    readonly allowScripts: Readonly<Record<string, boolean>>;
  };

  it('are all locked with a hash, and come from nowhere but the registry', () => {
    expect(locked.filter(([, { integrity }]) => integrity?.startsWith('sha512-') !== true).map(([name]) => name)).toEqual([]);
    expect(
      locked.filter(
        ([, { resolved, link }]) => link === true || (resolved !== undefined && !resolved.startsWith('https://registry.npmjs.org/')),
      ),
    ).toEqual([]);
    const specs = [...Object.values(manifest.dependencies), ...Object.values(manifest.devDependencies)];
    expect(specs.filter((spec) => /[:/]|\*|latest/.test(spec))).toEqual([]);
  });

  it('run no script when they are installed, except those that were looked at', () => {
    const scripted = locked
      .filter(([, { hasInstallScript }]) => hasInstallScript === true)
      .map(([name]) => name.replace(/^.*node_modules\//, ''));
    const optional = ['fsevents', 'sharp'];
    expect(scripted.filter((name) => !(name in manifest.allowScripts) && !optional.includes(name))).toEqual([]);
  });

  it('are few, and each has its reason in docs/dependencies.md', () => {
    const page = readFileSync(join(root, 'docs/dependencies.md'), 'utf8');
    const names = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.devDependencies)];
    expect(names.filter((name) => !page.includes(`\`${name}\``) && !name.startsWith('@types/'))).toEqual([]);
    const shipped = locked.filter(([, { dev, optional }]) => dev !== true && optional !== true);
    countCases('packages', { direct: Object.keys(manifest.dependencies).length, shipped: shipped.length });
  });
});

describe('[S22] the sources', () => {
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((name) => /\.[jt]s$/.test(name));
  const textOf = (name: string): string => readFileSync(join(root, 'src', name), 'utf8');

  it('make no code of text', () => {
    const forbidden = /\beval\s*\(|\bnew Function\b|\bFunction\s*\(|from 'node:vm'|setTimeout\(\s*['"`]/;
    expect(files.filter((name) => forbidden.test(textOf(name)))).toEqual([]);
  });

  it('[S33] open no door for debuggers', () => {
    expect(files.filter((name) => /node:inspector|--inspect|v8\.startupSnapshot/.test(textOf(name)))).toEqual([]);
    expect(readFileSync(join(root, 'bin/callsheet'), 'utf8')).not.toContain('--inspect');
  });

  it('start processes without a shell', () => {
    const shell = /import \{[^}]*\bexec(?:Sync)?\b[^}]*\} from 'node:child_process'|shell:\s*true/;
    expect(files.filter((name) => shell.test(textOf(name)))).toEqual([]);
  });
});

it('[S32] has no known advisory that was fixed in what is locked, where the registry can be asked', ({ skip }) => {
  let told: string;
  try {
    told = execFileSync('npm', ['audit', '--omit=dev', '--json'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 60_000,
    });
  } catch (error) {
    told = (error as { readonly stdout?: string }).stdout ?? '';
  }
  const parsed = (told === '' ? {} : JSON.parse(told)) as {
    readonly metadata?: { readonly vulnerabilities: Readonly<Record<string, number>> };
  };
  if (parsed.metadata === undefined) {
    console.warn('SKIPPED: advisories are not looked up, because the registry does not answer `npm audit`');
    skip();
  }
  const { vulnerabilities = {} } = parsed.metadata ?? {};
  countCases('advisories', { total: vulnerabilities['total'] ?? 0 });
  expect(vulnerabilities['total']).toBe(0);
});
