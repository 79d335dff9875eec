// Builds the pages of dashboard/ into dashboard/dist/ (or the directory that is named): the daemon serves what is there. The layout library stays a file of its own,
// which a worker reads when the first graph is drawn; the inspector is a module of its own, read when it is first looked at.
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const require = createRequire(import.meta.url);
const pages = fileURLToPath(new URL('../dashboard/', import.meta.url));

/** Packages whose code is in the built files. */
const BUNDLED = ['preact', '@preact/signals', '@preact/signals-core', 'elkjs', 'three'];

export const DASHBOARD = join(pages, 'dist');

/** Returns the names of the files, all of them in `target` itself. */
export async function buildDashboard(target: string = DASHBOARD): Promise<readonly string[]> {
  const staging = `${target}.${String(process.pid)}.tmp`;
  mkdirSync(staging, { recursive: true });
  const inspectorFile = join(pages, 'inspector', 'index.ts');
  const inspector = existsSync(inspectorFile) ? inspectorFile : undefined;
  try {
    await using bundle = await rolldown({
      input: { app: join(pages, 'app', 'main.tsx'), ...(inspector === undefined ? {} : { inspector }) },
      platform: 'browser',
      tsconfig: join(pages, 'tsconfig.json'),
      external: [/^\/dashboard\//],
      logLevel: 'warn',
    });
    await bundle.write({
      dir: staging,
      format: 'esm',
      minify: true,
      entryFileNames: '[name].js',
      chunkFileNames: 'shared-[name].js',
      sourcemap: false,
    });
    for (const name of ['icon.svg', 'index.html']) writeFileSync(join(staging, name), readFileSync(join(pages, name)));
    writeFileSync(join(staging, 'app.css'), styles(inspector === undefined ? [] : [join(pages, 'inspector')]));
    copyFileSync(require.resolve('elkjs/lib/elk-worker.min.js'), join(staging, 'elk-worker.js'));
    writeFileSync(join(staging, 'licenses.txt'), licenses());
    rmSync(target, { recursive: true, force: true });
    renameSync(staging, target);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
  return readdirSync(target).toSorted();
}

/** Builds only when a source is newer than what was built, one process after the other: for tests, which run side by side. */
export async function buildDashboardOnce(): Promise<void> {
  const lock = `${DASHBOARD}.lock`;
  while (isStale()) {
    try {
      mkdirSync(lock);
    } catch {
      // Somebody builds. Who was killed while building holds nobody up for long.
      if (Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()) > LOCK_MS)
        rmSync(lock, { recursive: true, force: true });
      await pause(50);
      continue;
    }
    try {
      if (isStale()) await buildDashboard();
    } finally {
      rmSync(lock, { recursive: true, force: true });
    }
  }
}

// --- helpers ---

const LOCK_MS = 60_000;

function isStale(): boolean {
  const at = statSync(join(DASHBOARD, 'index.html'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return readdirSync(pages, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile() && !one.parentPath.startsWith(DASHBOARD))
    .some(({ parentPath, name }) => (statSync(join(parentPath, name), { throwIfNoEntry: false })?.mtimeMs ?? 0) > at);
}

/** In the order of their numbers. */
function styles(others: readonly string[]): string {
  return [join(pages, 'style'), ...others]
    .flatMap((dir) =>
      readdirSync(dir)
        .filter((name) => name.endsWith('.css'))
        .toSorted()
        .map((name) => readFileSync(join(dir, name), 'utf8')),
    )
    .join('\n');
}

/** Their authors want their terms to go along. */
function licenses(): string {
  return BUNDLED.map((name) => {
    const dir = folderOf(name);
    const { version, license } = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) as { version: string; license: string };
    const file = readdirSync(dir).find((one) => /^licen[cs]e/i.test(one));
    return `${name} ${version} (${license})\n\n${file === undefined ? '' : readFileSync(join(dir, file), 'utf8')}`;
  }).join(`\n${'-'.repeat(80)}\n\n`);
}

function folderOf(name: string): string {
  let dir = dirname(require.resolve(name));
  while (!existsSync(join(dir, 'package.json')) || !readFileSync(join(dir, 'package.json'), 'utf8').includes(`"name": "${name}"`))
    dir = dirname(dir);
  return dir;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const target = resolve(process.argv[2] ?? DASHBOARD);
  const files = await buildDashboard(target);
  console.log(`${target}: ${files.join(', ')}`);
}
