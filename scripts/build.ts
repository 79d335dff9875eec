/**
 * Compiles src/ into dist/ (or the directory that is named): types are stripped in place, so lines and columns stay those of the sources and no map is needed.
 * For what package.json exports there are declarations too, made by the compiler. `./x.ts` and `#room/x.ts` become `.js`; package.json maps `#*.js` to dist/ and the rest to src/ (docs/decisions/0003).
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const source = join(root, 'src');
const target = resolve(process.argv[2] ?? join(root, 'dist'));
const staging = `${target}.${process.pid}.tmp`;

// A specifier stands after `from`, `import`, `import(` or `new URL(`.
const SPECIFIER = /(\b(?:from|import)\s*\(?\s*|\bnew URL\(\s*)(['"])((?:\.{1,2}\/|#)[^'"\n]+)\.ts\2/g;

function rewrite(code: string): string {
  return code.replaceAll(SPECIFIER, (_, before: string, quote: string, name: string) => `${before}${quote}${name}.js${quote}`);
}

// Node warns once a process that this function is experimental; the version of Node is pinned.
process.removeAllListeners('warning');

let files = 0;
for (const entry of readdirSync(source, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile()) continue;
  const path = join(entry.parentPath, entry.name);
  const out = join(staging, path.slice(source.length));
  mkdirSync(dirname(out), { recursive: true });
  if (path.endsWith('.ts')) {
    const code = stripTypeScriptTypes(readFileSync(path, 'utf8'), { mode: 'strip' });
    writeFileSync(`${out.slice(0, -3)}.js`, rewrite(code));
  } else {
    copyFileSync(path, out);
  }
  files += 1;
}
// Types for programs of others, of what they import; the declarations name their neighbours as the code does.
execFileSync(
  process.execPath,
  [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', join(root, 'tsconfig.client.json'), '--outDir', staging],
  {
    stdio: 'inherit',
  },
);
for (const entry of readdirSync(staging, { recursive: true, withFileTypes: true })) {
  if (!entry.name.endsWith('.d.ts')) continue;
  const path = join(entry.parentPath, entry.name);
  writeFileSync(path, rewrite(readFileSync(path, 'utf8')));
  files += 1;
}
rmSync(target, { recursive: true, force: true });
renameSync(staging, target);
console.log(`${target}: ${files} files`);
