/**
 * Copies the permissively licensed part of a corpus into test/fixtures/conversion, with the object info cut down to what these
 * files use: `node scripts/make-conversion-fixtures.ts CORPUS_DIR`.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PERMISSIVE = /^(?:MIT|Apache-2\.0|BSD-[23]-Clause|BSD|0BSD.*|CC0(?:-1\.0)?)$/;
const COLUMNS = ['name', 'cat', 'licence', 'source', 'path', 'commit', 'verdict', 'detail'];
const CLASS_FIELDS = ['input', 'input_order', 'output', 'output_name', 'output_node', 'display_name'];

const [corpus] = process.argv.slice(2);
if (corpus === undefined) {
  process.stderr.write('Usage: node scripts/make-conversion-fixtures.ts CORPUS_DIR\n');
  process.exit(2);
}
const target = join(dirname(fileURLToPath(import.meta.url)), '../test/fixtures/conversion');
for (const folder of ['pairs', 'ui', 'ui_v1', 'oracle', 'oracle_custom', 'object_info'])
  rmSync(join(target, folder), { recursive: true, force: true });

const [head = '', ...lines] = readFileSync(join(corpus, 'INDEX.tsv'), 'utf8').split(/\r?\n/);
const names = head.split('\t');
const rows = lines
  .filter((line) => line !== '')
  .map((line): Record<string, string> => Object.fromEntries(line.split('\t').map((cell, index) => [names[index] ?? '', cell])))
  .filter(
    (row) => PERMISSIVE.test(row['licence'] ?? '') && (row['cat'] === 'pairs' || (row['cat'] === 'ui' && hasOracle(row['name'] ?? ''))),
  );

const text: string[] = [];
for (const { cat = '', name = '' } of rows) {
  const files = cat === 'pairs' ? [`pairs/${name}.ui.json`, `pairs/${name}.api.json`] : [`ui/${name}.json`];
  for (const file of [
    ...files,
    `ui_v1/${name}.json`,
    `ui_v1/${name}.resaved04.json`,
    `oracle/${name}.api.json`,
    `oracle_custom/${name}.api.json`,
  ]) {
    if (!existsSync(join(corpus, file))) continue;
    mkdirSync(dirname(join(target, file)), { recursive: true });
    copyFileSync(join(corpus, file), join(target, file));
    text.push(readFileSync(join(corpus, file), 'utf8'));
  }
}
copyFileSync(join(corpus, 'oracle/NONDETERMINISTIC.txt'), join(target, 'oracle/NONDETERMINISTIC.txt'));
writeFileSync(
  join(target, 'INDEX.tsv'),
  [COLUMNS, ...rows.map((row) => COLUMNS.map((column) => row[column] ?? ''))].map((cells) => `${cells.join('\t')}\n`).join(''),
);
trimObjectInfo(corpus);
writeSources();

// --- helpers ---

function hasOracle(name: string): boolean {
  return ['oracle', 'oracle_custom'].some((folder) => existsSync(join(corpus ?? '', folder, `${name}.api.json`)));
}

/** Numbers of an object info fit doubles; what a class says of itself in prose is left out. */
function trimObjectInfo(from: string): void {
  const used = new Set(
    text
      .join('\n')
      .match(/"(?:type|class_type)":\s*"(?:[^"\\]|\\.)*"/g)
      ?.map((match) => String(JSON.parse(match.replace(/^"\w+":\s*/, '')))),
  );
  mkdirSync(join(target, 'object_info'), { recursive: true });
  for (const file of readdirSync(join(from, 'object_info'))) {
    if (!/^(?:core|merged)-.*\.json$/.test(file)) continue;
    const info = JSON.parse(readFileSync(join(from, 'object_info', file), 'utf8')) as Record<string, Record<string, unknown>>;
    const kept = Object.entries(info)
      .filter(([name]) => used.has(name))
      .map(
        ([name, fields]) =>
          `${JSON.stringify(name)}:${JSON.stringify(Object.fromEntries(CLASS_FIELDS.flatMap((field) => (field in fields ? [[field, fields[field]]] : []))), withoutTooltips)}`,
      );
    writeFileSync(join(target, 'object_info', file), `{\n${kept.join(',\n')}\n}\n`);
  }
}

function withoutTooltips(key: string, value: unknown): unknown {
  return key === 'tooltip' ? undefined : value;
}

function writeSources(): void {
  const sources = new Map<string, { licence: string; count: number }>();
  for (const { source = '', licence = '' } of rows) sources.set(source, { licence, count: (sources.get(source)?.count ?? 0) + 1 });
  const table = [...sources]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([source, { licence, count }]) => `| ${source} | ${licence} | ${count} |`);
  writeFileSync(
    join(target, 'SOURCES.md'),
    `# Sources of the conversion fixtures

Workflow files from public repositories, unchanged. \`INDEX.tsv\` names repository, path, commit and licence of each.

- \`pairs/NAME.ui.json\` and \`NAME.api.json\`: a workflow and the graph that a real run recorded or a user exported for it.
- \`ui/NAME.json\`: a workflow; \`ui_v1/NAME.json\`: the same in format 1.0, \`NAME.resaved04.json\` saved again as 0.4.
- \`oracle/NAME.api.json\`: what the ComfyUI front end 1.49.0 made of it in a browser, with \`object_info/core-2026-08-22-v0.33.0.json\`; \`oracle_custom/\` with the merged one.
- \`object_info/\`: answers of ComfyUI servers of several ages to \`GET /object_info\`, cut down to the classes these files use, without tooltips.
- \`rate.json\`: how many of them the conversion must get right; it may only rise.

Made by \`node scripts/make-conversion-fixtures.ts CORPUS_DIR\`.

| repository | licence | files |
|---|---|---|
${table.join('\n')}
`,
  );
}
