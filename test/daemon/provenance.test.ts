// Where a file came from: the same in the note beside it, in artifact/get and inside the file; dropped back in, it is the same graph again.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Ajv } from 'ajv';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { canonicalHash } from '#graph/hash.ts';
import type { ArtifactView } from '#protocol/views.ts';
import { bytesInMemory } from '#results/bytes.ts';
import { readEmbedded } from '#results/embedded/read.ts';
import { METHODS } from '#protocol/methods/index.ts';
import { sidecarSchemaText } from '#protocol/methods/sidecar.ts';
import { graphPath, sidecarPath } from '#results/sidecar.ts';
import { faultsOf, SCHEMA_FILE } from '../results/sidecar-schema.ts';
import { HUGE_SEED, openPlace, type Place } from './exchange/exchange-harness.ts';

const MARKER = 'sk-MARKER0123456789abcdefghij';

/** A still of a colour, by way of UI format: the seed stands in a note that nothing reads. */
function templateFiles(place: Place, id: string, extra: object = {}): void {
  const folder = join(place.dir, 'templates', id);
  mkdirSync(folder, { recursive: true });
  const graph = {
    '1': { class_type: 'EmptyImage', inputs: { width: 64, height: 32, batch_size: 1, color: 255 } },
    '2': { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'still', api_key: MARKER, seed: 5 } },
  };
  writeFileSync(join(folder, 'draw.json'), JSON.stringify(graph));
  writeFileSync(
    join(folder, 'template.json'),
    JSON.stringify({
      format: 1,
      id,
      version: '1.2.0',
      title: 'Still life',
      requires: { models: [{ folder: 'loras', name: 'style.safetensors', sha256: 'a'.repeat(64), bytes: 12 }] },
      parameters: {
        colour: { type: 'integer', default: 255 },
        name: { type: 'string', default: 'still' },
        seed: { type: 'seed' },
        key: { type: 'string', default: MARKER },
        place: { type: 'directory', default: null },
      },
      steps: [
        {
          id: 'draw',
          workflow: 'draw.json',
          set: {
            '1.color': '{colour}',
            '2.filename_prefix': '{name}',
            '2.seed': '{seed}',
            '2.api_key': '{key}',
            '2.lora_name': 'style.safetensors',
          },
          outputs: { card: '2' },
        },
      ],
      outputs: { card: { from: '{steps.draw.card}', asset: { kind: 'image', name: 'card' } } },
      ...extra,
    }),
  );
}

async function openStill(extra: object = {}) {
  const place = await openPlace();
  templateFiles(place, 'still', extra);
  await place.changed('still', ({ runnable }) => runnable);
  return place;
}

async function runStill(place: Place, options: { readonly embed?: boolean; readonly parameters?: object } = {}): Promise<ArtifactView> {
  const { parameters = {}, embed } = options;
  const { runId } = await place.client.call('run/start', {
    template: 'still',
    parameters: { seed: HUGE_SEED, ...parameters },
    ...(embed === undefined ? {} : { embed }),
  });
  const run = await place.ended(runId);
  expect(run.status).toBe('succeeded');
  const [artifact] = run.artifacts;
  if (artifact === undefined) throw new Error('the run has no file');
  return artifact;
}

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');
const noteOf = ({ path }: ArtifactView) => JSON.parse(readFileSync(sidecarPath(path), 'utf8')) as { provenance: Record<string, unknown> };

describe('provenance', () => {
  it('says what made a file, in its note and in artifact/get alike, also after a restart', async () => {
    await using place = await openStill();
    const artifact = await runStill(place, { parameters: { place: join(place.dir, 'project') } });
    const { provenance, graph } = await place.client.call('artifact/get', { artifactId: artifact.artifactId, graph: true });
    expect(noteOf(artifact)).toMatchObject({ format: 2, file: 'card.png', sha256: artifact.sha256, provenance });
    expect(provenance).toMatchObject({
      runId: artifact.runId,
      template: 'still',
      version: '1.2.0',
      step: 'draw',
      item: 0,
      attempt: 1,
      output: 'card',
      promptId: artifact.promptId,
      draft: false,
      callsheet: expect.stringMatching(/^\d/),
      backend: { id: 'sandbox', kind: 'sandbox', version: expect.any(String), objectInfo: expect.stringMatching(/^[0-9a-f]{64}$/) },
      seeds: [{ node: '2', input: 'seed', value: HUGE_SEED }],
      parameters: { colour: 255, seed: HUGE_SEED, place: 'project' },
      models: [{ node: '2', input: 'lora_name', name: 'style.safetensors', folder: 'loras', sha256: 'a'.repeat(64), bytes: 12 }],
      times: {
        loading: expect.any(Number),
        nodes: expect.arrayContaining([{ node: '2', className: 'SaveImage', seconds: expect.any(Number) }]),
      },
    });
    expect(graph).toEqual({
      sha256: provenance.graph,
      text: readFileSync(graphPath(dirname(artifact.path), provenance.graph ?? ''), 'utf8'),
    });
    expect(graph?.text).toContain(HUGE_SEED);
    expect(faultsOf(noteOf(artifact))).toEqual([]);
    await place.restart();
    expect(await place.client.call('artifact/get', { artifactId: artifact.artifactId })).toEqual({ artifact, provenance });
    const answer = await place.client.call('artifact/get', { artifactId: artifact.artifactId, graph: true, embedded: true });
    const fits = new Ajv({ allErrors: true }).compile(METHODS['artifact/get'].result.json);
    expect([fits(answer), fits.errors]).toEqual([true, null]);
  });

  it('keeps a graph once, however many files it made', async () => {
    await using place = await openStill();
    const [first, second] = [await runStill(place, { parameters: { seed: '1' } }), await runStill(place, { parameters: { seed: '1' } })];
    const graphs = await Promise.all(
      [first, second].map(({ artifactId }) => place.client.call('artifact/get', { artifactId, graph: true })),
    );
    expect(graphs[0]?.graph).toEqual(graphs[1]?.graph);
    expect(readdirSync(join(dirname(first.path), '.callsheet')).toSorted()).toEqual([
      'card.png.json',
      `graph-${graphs[0]?.provenance.graph}.json`,
    ]);
  });

  it('stands in notes of a published format', async () => {
    expect(readFileSync(SCHEMA_FILE, 'utf8'), 'run: npm run generate').toBe(sidecarSchemaText());
    await using place = await openStill();
    const note = noteOf(await runStill(place, { embed: true }));
    expect(faultsOf(note)).toEqual([]);
    expect(faultsOf({ ...note, format: 3 })).not.toEqual([]);
    expect(faultsOf({ ...note, provenance: { ...note.provenance, draft: 'yes' } })).not.toEqual([]);
    expect(faultsOf({ ...note, addedLater: 1 })).toEqual([]);
  });

  it('leaves files as the backend gave them unless it is asked to embed', async () => {
    await using place = await openStill();
    const artifact = await runStill(place);
    expect(artifact.source).toBeUndefined();
    const { texts } = await readEmbedded(bytesInMemory(readFileSync(artifact.path)));
    expect(texts.map(({ key }) => key)).toEqual(['prompt']);
  });

  it('puts graph and provenance into the file on request of the run, pixels untouched, and says both hashes', async () => {
    await using place = await openStill();
    const [bare, rich] = [await runStill(place), await runStill(place, { embed: true })];
    const bytes = readFileSync(rich.path);
    expect(rich).toMatchObject({ bytes: bytes.length, sha256: sha256(bytes), source: { mediaType: 'image/png' } });
    const pixels = async (path: string) => sha256(await sharp(path).raw().toBuffer());
    expect(await pixels(rich.path)).toBe(await pixels(bare.path));
    const { texts } = await readEmbedded(bytesInMemory(bytes));
    expect(texts.map(({ key }) => key).toSorted()).toEqual(['callsheet', 'prompt']);
    const inside = JSON.parse(texts.find(({ key }) => key === 'callsheet')?.text ?? '');
    const { provenance } = await place.client.call('artifact/get', { artifactId: rich.artifactId });
    expect(inside).toEqual(provenance);
    expect(provenance.source).toEqual(rich.source);
  });

  it('is that of the attempt that made it also where the file is taken from the result cache and that run is gone', async () => {
    await using place = await openStill({ cache: true });
    const getOf = ({ artifactId }: ArtifactView) => place.client.call('artifact/get', { artifactId, graph: true });
    const maker = await runStill(place, { embed: true });
    const { provenance, graph } = await getOf(maker);
    await expect.poll(async () => (await place.client.call('daemon/status', {})).cache.entries).toBe(1);
    expect((await place.client.call('run/clean', { keep: 0 })).runs).toHaveLength(1);
    await place.restart();
    const taken = await runStill(place, { embed: true });
    expect(taken.cachedFrom).toEqual({ runId: maker.runId, artifactId: maker.artifactId });
    const answer = await getOf(taken);
    expect(answer.graph).toEqual(graph);
    const { callsheet, backend, graph: hash, redacted, seeds, models, inputs, times, source } = provenance;
    expect(answer.provenance).toMatchObject({ callsheet, backend, graph: hash, redacted, seeds, models, inputs, times, source });
    expect(noteOf(taken).provenance).toMatchObject(answer.provenance);
    expect(readFileSync(graphPath(dirname(taken.path), hash ?? ''), 'utf8')).toBe(graph?.text);
    const { texts } = await readEmbedded(bytesInMemory(readFileSync(taken.path)));
    expect(JSON.parse(texts.find(({ key }) => key === 'callsheet')?.text ?? '')).toEqual(answer.provenance);
    expect(texts.find(({ key }) => key === 'prompt')?.text).toBe(graph?.text);
  });

  it('[TO1] does so where an output of the template asks for it', async () => {
    await using place = await openStill({ outputs: { card: { from: '{steps.draw.card}', embed: true } } });
    expect((await runStill(place)).source).toBeDefined();
  });

  it('gives the same graph again when the file is imported', async () => {
    await using place = await openStill();
    const artifact = await runStill(place, { embed: true, parameters: { colour: 1234, name: 'Zürich {a|b} 東京 "x"' } });
    const { graph } = await place.client.call('artifact/get', { artifactId: artifact.artifactId, graph: true });
    const file = place.put('dropped.png', readFileSync(artifact.path));
    const { template } = await place.client.call('template/import', { file });
    await place.client.call('template/approve', { id: template.id, version: template.version, hash: template.hash });
    const rendered = await place.client.call('template/render', { id: template.id, parameters: { seed: HUGE_SEED } });
    expect(canonicalHash(rendered.steps[0]?.workflow ?? '')).toBe(canonicalHash(graph?.text ?? '-'));
  });

  it('lets no secret travel: not in notes, graphs, files, answers or events', async () => {
    await using place = await openStill();
    const artifact = await runStill(place, { embed: true, parameters: { name: `see https://user:${MARKER}@example.com/x` } });
    const answer = await place.client.call('artifact/get', { artifactId: artifact.artifactId, graph: true });
    const folder = dirname(artifact.path);
    const files = [folder, join(folder, '.callsheet')].flatMap((dir) => readdirSync(dir).map((name) => join(dir, name)));
    const texts = [
      JSON.stringify(answer),
      ...files.filter((file) => /\.(?:png|json)$/.test(file)).map((file) => readFileSync(file, 'latin1')),
    ];
    expect(texts.length).toBeGreaterThan(3);
    expect(texts.filter((text) => text.includes(MARKER))).toEqual([]);
    expect(answer.provenance).toMatchObject({ redacted: ['2.inputs.api_key'], parameters: { key: '[redacted]' } });
    expect(answer.graph?.text).toContain('https://example.com/x');
  });
});

describe('an author’s workflow in UI format', () => {
  it('travels with the values of the run, and is imported as that graph', async () => {
    await using place = await openPlace();
    const folder = join(place.dir, 'templates', 'ui');
    mkdirSync(folder, { recursive: true });
    const node = (id: number, type: string, widgets: readonly unknown[], inputs: readonly object[], outputs: readonly object[]) => ({
      id,
      type,
      pos: [0, id * 100],
      size: [200, 100],
      flags: {},
      order: id,
      mode: 0,
      inputs,
      outputs,
      properties: {},
      widgets_values: widgets,
    });
    const ui = {
      last_node_id: 2,
      last_link_id: 1,
      nodes: [
        node(1, 'EmptyImage', [64, 32, 1, 255], [], [{ name: 'IMAGE', type: 'IMAGE', links: [1] }]),
        node(2, 'SaveImage', ['{name}'], [{ name: 'images', type: 'IMAGE', link: 1 }], []),
      ],
      links: [[1, 1, 0, 2, 0, 'IMAGE']],
      groups: [{ title: 'kept as it is', bounding: [0, 0, 10, 10] }],
      version: 0.4,
    };
    writeFileSync(join(folder, 'draw.json'), JSON.stringify(ui));
    writeFileSync(
      join(folder, 'template.json'),
      JSON.stringify({
        format: 1,
        id: 'ui',
        version: '1.0.0',
        parameters: { name: { type: 'string', default: 'x' }, colour: { type: 'integer', default: 1 } },
        steps: [{ id: 'draw', workflow: 'draw.json', set: { '1.color': '{colour}' }, outputs: { card: '2' } }],
      }),
    );
    await place.changed('ui', ({ runnable }) => runnable);
    const { runId } = await place.client.call('run/start', { template: 'ui', parameters: { name: 'Café', colour: 777 }, embed: true });
    const [artifact] = (await place.ended(runId)).artifacts;
    const { texts } = await readEmbedded(bytesInMemory(readFileSync(artifact?.path ?? '')));
    const workflow = JSON.parse(texts.find(({ key }) => key === 'workflow')?.text ?? 'null');
    expect(workflow).toEqual({
      ...ui,
      nodes: [
        { ...ui.nodes[0], widgets_values: [64, 32, 1, 777] },
        { ...ui.nodes[1], widgets_values: ['Café'] },
      ],
    });
    const answer = await place.client.call('artifact/get', { artifactId: artifact?.artifactId ?? '', graph: true });
    expect(JSON.parse(answer.workflow?.text ?? '')).toEqual(workflow);
    expect(existsSync(graphPath(dirname(artifact?.path ?? ''), answer.provenance.workflow ?? '', 'workflow'))).toBe(true);
  });
});
