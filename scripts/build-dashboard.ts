/** Makes dashboard/dist/, which the daemon serves, of the sources in dashboard/. Whole or not at all. */
import { cpSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const source = join(import.meta.dirname, '..', 'dashboard');
const target = join(source, 'dist');
const staging = `${target}.${process.pid}.tmp`;

const names = readdirSync(source).filter((name) => /\.(?:html|css)$/.test(name));
for (const name of names) cpSync(join(source, name), join(staging, name));
rmSync(target, { recursive: true, force: true });
renameSync(staging, target);
console.log(`${target}: ${names.length} files`);
