/** Writes the published JSON Schemas from their source in src/. With --check it only says whether they are up to date. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { manifestSchemaText } from '#templates/manifest-schema.ts';

const folder = join(import.meta.dirname, '..', 'schemas');
const file = join(folder, 'template-1.json');
const text = manifestSchemaText();

if (process.argv.includes('--check')) {
  const fresh = existsSync(file) && readFileSync(file, 'utf8') === text;
  if (!fresh) console.error(`${file} is out of date: run \`npm run generate\`.`);
  process.exitCode = fresh ? 0 : 1;
} else {
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, text);
}
