import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadTemplate, sourceOf } from '#templates/load.ts';
import { manifestSchemaText } from '#templates/manifest-schema.ts';
import { codes, compile, compiled, folderWith, GRAPH, manifest } from './support.ts';

describe('the format of template.json', () => {
  it('[TF1] reads a manifest that begins with a byte order mark', async () => {
    const folder = await folderWith({ 'template.json': `\uFEFF${JSON.stringify(manifest())}`, 'w.json': GRAPH });
    const { template, problems } = await loadTemplate(folder);
    expect(problems).toEqual([]);
    expect(template?.id).toBe('demo');
  });

  it('[TF1] keeps the exact bounds of 64-bit integers', () => {
    const text = JSON.stringify(manifest({ parameters: { s: { type: 'seed', maximum: 0 } } }, { set: { '3.seed': '{s}' } }));
    const template = compiled(text.replace('"maximum":0', '"maximum":18446744073709551614'));
    expect(template.parameters.get('s')?.maximum).toBe(18446744073709551614n);
  });

  it('[TF1] says in one problem where a missing comma belongs', () => {
    const { value, problems } = compile('{\n  "format": 1\n  "id": "x"\n}');
    expect(value).toBeUndefined();
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ code: 'JSON_SYNTAX', file: 'template.json' });
    expect(problems[0]?.hint).toBeTruthy();
  });

  it('[TF1] refuses a manifest that is no object', () => {
    expect(codes(compile('[]').problems)).toEqual(['TEMPLATE_FIELD_INVALID']);
  });

  it('[TF2] names an unknown format as such', () => {
    expect(codes(compile(manifest({ format: 2 })).problems)).toEqual(['TEMPLATE_FORMAT_UNSUPPORTED']);
  });

  it.each(['Demo', 'a b', '-a', '', 'a'.repeat(65)])('[TF3] refuses the id %j', (id) => {
    expect(codes(compile(manifest({ id })).problems)).toEqual(['TEMPLATE_ID_INVALID']);
  });

  it.each(['1.0', '1', 'v1.0.0', '1.0.0.0', 'new'])('[TF4] refuses the version %j', (version) => {
    expect(codes(compile(manifest({ version })).problems)).toEqual(['TEMPLATE_VERSION_INVALID']);
  });

  it('[TF4] takes pre-releases and offers the full form of a short version', () => {
    expect(compiled(manifest({ version: '1.0.0-beta.2' })).version).toBe('1.0.0-beta.2');
    expect(compile(manifest({ version: '1.2' })).problems[0]?.hint).toContain('1.2.0');
  });

  it('[TF5] points at an unknown field and offers the known one', () => {
    const { problems } = compile(manifest({ $schema: 'anything', parametres: {} }));
    expect(problems).toEqual([
      expect.objectContaining({
        code: 'TEMPLATE_FIELD_UNKNOWN',
        hint: 'Did you mean "parameters"?',
        pointer: '/parametres',
        file: 'template.json',
      }),
    ]);
    expect(problems[0]?.line).toBeGreaterThan(1);
  });

  it('[TF6] reports everything at once, the manifest from top to bottom and then the workflows', () => {
    const { problems } = compile(
      manifest(
        { version: '1', extra: 1, parameters: { n: { type: 'intger' }, m: { type: 'integer', default: 1.5 } } },
        { set: { '99.text': '{n}', '6.text': '{m}' } },
      ),
      { 'w.json': { ...GRAPH, '9': { class_type: 'SaveImage', inputs: { images: ['77', 0] } } } },
    );
    expect(new Set(codes(problems))).toEqual(
      new Set([
        'TEMPLATE_VERSION_INVALID',
        'TEMPLATE_FIELD_UNKNOWN',
        'TEMPLATE_FIELD_INVALID',
        'TEMPLATE_PARAMETER_DEFAULT',
        'TEMPLATE_NODE_UNKNOWN',
        'GRAPH_LINK_DANGLING',
      ]),
    );
    for (const problem of problems) {
      expect(problem).toMatchObject({
        file: expect.any(String),
        line: expect.any(Number),
        column: expect.any(Number),
        hint: expect.any(String),
      });
    }
    expect(problems.at(-1)?.file).toBe('w.json');
  });

  it('[TF6] does not report again what refers to a broken part', () => {
    const { problems } = compile(manifest({ parameters: { n: { type: 'intger' } } }, { set: { '6.text': '{n}' } }));
    expect(codes(problems)).toEqual(['TEMPLATE_FIELD_INVALID']);
    expect(problems[0]).toMatchObject({ parameter: 'n', hint: 'Did you mean "integer"?' });
  });

  it('[TF6] says once what a union of shapes allows', () => {
    const { problems } = compile(manifest({ parameters: { c: { type: 'choice', choices: [true] } } }, { set: { '6.text': '{c}' } }));
    expect(codes(problems)).toEqual(['TEMPLATE_FIELD_INVALID']);
  });

  it('[TF6] names fields that are missing', () => {
    const { problems } = compile({ format: 1, id: 'x' });
    expect(problems.map((problem) => problem.message)).toEqual([
      '"version" is missing in the template.',
      '"steps" is missing in the template.',
    ]);
  });

  it('[TF7] publishes the schema that the check uses', async () => {
    const published = await readFile(join(import.meta.dirname, '../../schemas/template-1.json'), 'utf8');
    expect(published, 'run: npx node scripts/generate-schemas.ts').toBe(manifestSchemaText());
  });

  it.each([
    '../w.json',
    '/w.json',
    'C:/w.json',
    'a\\w.json',
    'a/../../w.json',
    'nul.json',
    'a//w.json',
    './w.json',
    'w.json ',
    'COM1',
    'a:b.json',
    'x/\u0000',
  ])('[TF8] refuses the workflow file %j', (workflow) => {
    expect(codes(compile(manifest({}, { workflow })).problems)).toContain('TEMPLATE_PATH_ESCAPES');
  });

  it('[TF8] takes workflow files from folders inside the template', () => {
    expect(compiled(manifest({}, { workflow: 'graphs/w.json' }), { 'graphs/w.json': GRAPH }).steps[0]?.workflow).toBe('graphs/w.json');
  });

  it('[TF8] names a workflow file that is missing and offers a near one', () => {
    const { problems } = compile(manifest({}, { workflow: 'v.json' }));
    expect(problems).toEqual([
      expect.objectContaining({ code: 'TEMPLATE_FILE_MISSING', step: 'a', hint: expect.stringContaining('w.json') }),
    ]);
  });

  it('[TF9] gives one hash for one content, another as soon as a byte differs', () => {
    const one = sourceOf('{}', { 'a.json': '1', 'b.json': '2' });
    expect(sourceOf('{}', { 'b.json': '2', 'a.json': '1' }).hash).toBe(one.hash);
    expect(sourceOf('{} ', { 'a.json': '1', 'b.json': '2' }).hash).not.toBe(one.hash);
    expect(sourceOf('{}', { 'a.json': '2', 'b.json': '1' }).hash).not.toBe(one.hash);
  });
});
