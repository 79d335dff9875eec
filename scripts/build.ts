/**
 * Compiles src/ into dist/ (or the directory that is named): types are stripped in place, so lines and columns stay those of the sources and no map is needed.
 * `./x.ts` and `#room/x.ts` become `.js`; package.json maps `#*.js` to dist/ and the rest to src/ (docs/decisions/0003).
 */
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
    const rewritten = code.replaceAll(SPECIFIER, (_, before: string, quote: string, name: string) => `${before}${quote}${name}.js${quote}`);
    writeFileSync(`${out.slice(0, -3)}.js`, rewritten);
  } else {
    copyFileSync(path, out);
  }
  files += 1;
}
rmSync(target, { recursive: true, force: true });
renameSync(staging, target);
console.log(`${target}: ${files} files`);
