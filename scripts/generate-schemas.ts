/** Writes the published JSON Schemas from their sources in src/. With --check it only says whether they are up to date. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SIDECAR_FORMAT, sidecarSchemaText } from '#protocol/methods/sidecar.ts';
import { manifestSchemaText } from '#templates/manifest-schema.ts';

const folder = join(import.meta.dirname, '..', 'schemas');
const texts = new Map([
  ['template-1.json', manifestSchemaText()],
  [`sidecar-${String(SIDECAR_FORMAT)}.json`, sidecarSchemaText()],
]);

mkdirSync(folder, { recursive: true });
for (const [name, text] of texts) {
  const file = join(folder, name);
  if (!process.argv.includes('--check')) {
    writeFileSync(file, text);
    continue;
  }
  if (existsSync(file) && readFileSync(file, 'utf8') === text) continue;
  console.error(`${file} is out of date: run \`npm run generate\`.`);
  process.exitCode = 1;
}
