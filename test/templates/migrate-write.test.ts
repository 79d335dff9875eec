/** `templates migrate --write`: what becomes of the author's files, and what never does. */
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ObjectInfo, parseObjectInfo } from '#graph/object-info.ts';
import { CallsheetError } from '#protocol/errors.ts';
import { loadTemplate } from '#templates/load.ts';
import { planMigration } from '#templates/plan-migration.ts';
import { writeMigration } from '#templates/write-migration.ts';
import { codes, folderWith, GRAPH } from './support.ts';

const FORMATS = join(import.meta.dirname, '../fixtures/formats');
const draft = readFileSync(join(FORMATS, 'draft/template.json'), 'utf8');
const migrated = readFileSync(join(FORMATS, 'draft/migrated.json'), 'utf8');

const node = (name: string) => ({
  input: { required: { [name]: ['STRING', {}] } },
  output: ['IMAGE'],
  output_node: true,
  python_module: 'nodes',
});
const parsed = parseObjectInfo(JSON.stringify({ New: node('words'), Other: node('x') })).info;
const info: ObjectInfo = {
  classes: parsed?.classes ?? new Map(),
  replacements: [{ from: 'Old', to: 'New', inputs: [{ from: 'text', to: 'words' }], source: 'the test' }],
};

const MANIFEST = `{
  "format": 1, "id": "one", "version": "1.0.0",
  "parameters": { "p": { "type": "text" } },\r
  "steps": [{ "id": "a", "workflow": "w.json",   "set": { "\\"title:T\\".text": "{p}", "2.x": "y" }, "outputs": { "o": "1" } }]
}
`;
const WORKFLOW = `{"1":{"inputs":{"text":"a",  "seed":18446744073709551615},"class_type":"Old","_meta":{"title":"T"}},\r\n\t"2": {"class_type": "Other", "inputs": {"x": "\\u00e9"}}}`;

const filesIn = (folder: string) => Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
const codeOf = (work: () => unknown): string => {
  try {
    work();
    return 'nothing';
  } catch (error) {
    if (error instanceof CallsheetError) return error.code;
    throw error;
  }
};

describe('migrations that are written', () => {
  it('[TV8] lists each change with its line and writes nothing by itself', async () => {
    const folder = await folderWith({ 'template.json': draft, 'graph.json': GRAPH });
    const before = filesIn(folder);
    const { files, problems } = planMigration(folder);
    expect(files.map(({ path }) => path)).toEqual([join(folder, 'template.json')]);
    expect(
      problems.every(({ code, severity, line }) => code === 'TEMPLATE_FORMAT_MIGRATED' && severity === 'info' && line !== undefined),
    ).toBe(true);
    expect(problems[0]).toMatchObject({ message: '"name" is called "title".', line: 2 });
    expect(filesIn(folder)).toEqual(before);
  });

  it('[TV8] reads a workflow in UI format with the node classes that are given, and leaves it as it is', async () => {
    const ui = { version: 0.4, nodes: [{ id: 1, type: 'Other', mode: 0, inputs: [], outputs: [], widgets_values: ['y'] }], links: [] };
    const folder = await folderWith({ 'saved.json': JSON.stringify(ui) });
    const path = join(folder, 'saved.json');
    expect(codes(planMigration(path).problems)).toContain('TEMPLATE_WORKFLOW_UI_FORMAT');
    expect(planMigration(path, { info })).toMatchObject({ files: [], problems: [] });
  });

  it('[TV8] writes the manifest of today, which a second look leaves alone', async () => {
    const folder = await folderWith({ 'template.json': `\uFEFF${draft.replaceAll('\n', '\r\n')}`, 'graph.json': GRAPH });
    expect(writeMigration(planMigration(folder))).toEqual([]);
    expect(readFileSync(join(folder, 'template.json'), 'utf8')).toBe(`\uFEFF${migrated.replaceAll('\n', '\r\n')}`);
    expect(planMigration(folder)).toMatchObject({ files: [], problems: [] });
    expect((await loadTemplate(folder)).problems).toEqual([]);
    expect(Object.keys(filesIn(folder))).toEqual(['graph.json', 'template.json']);
  });

  it('[TV8] writes replaced classes into graphs and keys of set, and every other byte stays', async () => {
    const folder = await folderWith({ 'template.json': MANIFEST, 'w.json': WORKFLOW });
    expect(planMigration(folder)).toMatchObject({ files: [] });
    const plan = planMigration(folder, { info });
    expect(codes(plan.problems)).toEqual(['TEMPLATE_NODE_REPLACED']);
    expect(writeMigration(plan)).toEqual([]);
    expect(filesIn(folder)).toEqual({
      'template.json': MANIFEST.replace('T\\".text', 'T\\".words'),
      'w.json': WORKFLOW.replace('"text":"a",  "seed":18446744073709551615', '"words":"a"').replace('"Old"', '"New"'),
    });
    const { template, problems } = await loadTemplate(folder);
    expect([template?.steps[0]?.sites.map(({ node: id, input }) => [id, input]), codes(problems)]).toEqual([
      [
        ['1', 'words'],
        ['2', 'x'],
      ],
      [],
    ]);
    expect(planMigration(folder, { info })).toMatchObject({ files: [], problems: [] });
  });

  it('[TV8] [TS10] writes keys of the lower profile too', async () => {
    const lowered = MANIFEST.replace('"outputs"', '"lowMemory": { "set": { "1.text": "short" } }, "outputs"');
    const folder = await folderWith({ 'template.json': lowered, 'w.json': WORKFLOW });
    expect(writeMigration(planMigration(folder, { info }))).toEqual([]);
    const { template, problems } = await loadTemplate(folder);
    expect([template?.steps[0]?.lowMemory?.map(({ input }) => input), codes(problems)]).toEqual([['words', 'words', 'x'], []]);
  });

  it('[TV8] finishes what was cut short between two files', async () => {
    const folder = await folderWith({ 'template.json': MANIFEST.replace('T\\".text', 'T\\".words'), 'w.json': WORKFLOW });
    expect(writeMigration(planMigration(folder, { info }))).toEqual([]);
    const { template, problems } = await loadTemplate(folder);
    expect([template?.steps[0]?.sites.map(({ input }) => input), codes(problems)]).toEqual([['words', 'x'], []]);
  });

  it('[TV8] reaches bare graphs, and leaves workflows in UI format and broken files alone', async () => {
    const ui = { nodes: [{ id: 1, type: 'Old', widgets_values: ['a'] }], links: [], version: 0.4 };
    const folder = await folderWith({ 'bare.json': WORKFLOW, 'ui.json': ui, 'broken.json': '{', 'no/template.json': '{"format": 0, ' });
    expect(writeMigration(planMigration(join(folder, 'bare.json'), { info }))).toEqual([]);
    expect(readFileSync(join(folder, 'bare.json'), 'utf8')).toContain('"class_type":"New"');
    for (const name of ['ui.json', 'broken.json', 'no', 'missing', 'missing.json'])
      expect(planMigration(join(folder, name), { info }).files).toEqual([]);
    expect(codes(planMigration(join(folder, 'no')).problems)).toContain('JSON_SYNTAX');
  });

  it('[TV9] keeps the rights of a file and leaves nothing beside it', async () => {
    const folder = await folderWith({ 'template.json': draft, 'graph.json': GRAPH });
    chmodSync(join(folder, 'template.json'), 0o640);
    writeMigration(planMigration(folder));
    expect(statSync(join(folder, 'template.json')).mode & 0o777).toBe(0o640);
    expect(readdirSync(folder)).toEqual(['graph.json', 'template.json']);
  });

  it.each([
    ['a link', (path: string) => (renameSync(path, `${path}.real`), symlinkSync(`${path}.real`, path))],
    ['read-only', (path: string) => chmodSync(path, 0o444)],
  ])('[TV9] refuses a file that is %s, and then writes none of the template', async (_name, spoil) => {
    const folder = await folderWith({
      'template.json': draft.replace('graph.json', 'w.json').replace('6.text', '1.text').replace('3.steps', '2.x').replace('"9"', '"1"'),
      'w.json': WORKFLOW,
    });
    spoil(join(folder, 'w.json'));
    const before = filesIn(folder);
    const plan = planMigration(folder, { info });
    expect(plan.files).toHaveLength(2);
    const problems = writeMigration(plan);
    expect(problems).toMatchObject([{ code: 'TEMPLATE_NOT_WRITTEN', severity: 'error', file: join(folder, 'w.json') }]);
    expect(filesIn(folder)).toEqual(before);
  });

  it('[TV10] of two writers the second is told, by the content, and nothing of its own is written', async () => {
    const folder = await folderWith({ 'template.json': MANIFEST, 'w.json': WORKFLOW });
    const [one, two] = [planMigration(folder, { info }), planMigration(folder, { info })];
    writeMigration(one);
    const after = filesIn(folder);
    expect(codeOf(() => writeMigration(two))).toBe('TEMPLATE_CHANGED');
    expect(filesIn(folder)).toEqual(after);
  });

  it('[TV10] a save by the author between the look and the writing stays, in whichever file it is', async () => {
    for (const name of ['template.json', 'w.json']) {
      const folder = await folderWith({ 'template.json': MANIFEST, 'w.json': WORKFLOW });
      const plan = planMigration(folder, { info });
      writeFileSync(join(folder, name), `${name === 'w.json' ? WORKFLOW : MANIFEST} `);
      const before = filesIn(folder);
      expect(codeOf(() => writeMigration(plan))).toBe('TEMPLATE_CHANGED');
      expect(filesIn(folder)).toEqual(before);
    }
  });

  it('[TV10] another migration at work is a conflict, one that died a minute ago is not', async () => {
    const folder = await folderWith({ 'template.json': draft, 'graph.json': GRAPH });
    const lock = join(folder, '.callsheet-migrate.lock');
    closeSync(openSync(lock, 'wx'));
    expect(codeOf(() => writeMigration(planMigration(folder)))).toBe('TEMPLATE_CHANGED');
    expect(readFileSync(join(folder, 'template.json'), 'utf8')).toBe(draft);
    utimesSync(lock, 0, 0);
    expect(writeMigration(planMigration(folder))).toEqual([]);
    expect(readdirSync(folder)).toEqual(['graph.json', 'template.json']);
  });

  it('[TV10] a file that is gone is a conflict', async () => {
    const folder = await folderWith({ 'template.json': draft, 'graph.json': GRAPH });
    const plan = planMigration(folder);
    mkdirSync(join(folder, 'away'));
    renameSync(join(folder, 'template.json'), join(folder, 'away/template.json'));
    expect(codeOf(() => writeMigration(plan))).toBe('TEMPLATE_CHANGED');
  });
});
