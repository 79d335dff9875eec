/**
 * Writes what is made of the protocol's tables: docs/openrpc.json, the tables of docs/protocol.md and the types for Python. With --check it
 * only says whether they are up to date. What would break clients of before is refused either way: raise PROTOCOL_VERSION for it.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { VERSION } from '#daemon/version.ts';
import { type OpenRpcDocument, openRpcDocument } from '#protocol/openrpc.ts';
import { breakingChanges } from './protocol/breaking-changes.ts';
import { pageWithTables } from './protocol/page.ts';
import { pythonTypes } from './protocol/python-types.ts';

const root = join(import.meta.dirname, '..');
const read = (file: string): string | undefined => (existsSync(file) ? readFileSync(file, 'utf8') : undefined);

const snapshot = join(root, 'docs', 'openrpc.json');
const page = join(root, 'docs', 'protocol.md');
const document = openRpcDocument(VERSION);
const before = read(snapshot);
const broken = before === undefined ? [] : breakingChanges(JSON.parse(before) as OpenRpcDocument, document);
if (broken.length > 0) {
  console.error('This change of the protocol breaks clients of before:');
  for (const line of broken) console.error(`  ${line}`);
  console.error('Keep what was there, or raise PROTOCOL_VERSION (docs/protocol.md, Versions).');
  process.exit(1);
}

const texts = new Map([
  [snapshot, `${JSON.stringify(document, undefined, 1)}\n`],
  [page, pageWithTables(read(page) ?? '')],
  [join(root, 'examples', 'python', 'callsheet_protocol.py'), pythonTypes()],
]);
for (const [file, text] of texts) {
  if (read(file) === text) continue;
  if (process.argv.includes('--check')) {
    console.error(`${file} is out of date: run \`npm run generate\`.`);
    process.exitCode = 1;
    continue;
  }
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
