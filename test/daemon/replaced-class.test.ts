/** Runs whose template names node classes that the server has replaced by others. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ProgressNotice } from '#protocol/events.ts';
import { type Engine, startEngine } from './supervisor-harness.ts';

const OTHER = { other: { class_type: 'HouseInvert', inputs: { picture: ['2', 1], amount: 7 } } };
const MANIFEST = {
  format: 1,
  id: 'aged',
  version: '1.0.0',
  parameters: { picked: { type: 'boolean', default: false } },
  steps: [
    {
      id: 'only',
      workflow: 'w.json',
      set: { '2.amount': 5 },
      patch: [{ swap: '3', nodes: OTHER, outputs: { '0': ['other', 1] }, when: 'params.picked' }],
      outputs: { picture: '9' },
    },
  ],
  outputs: { result: { from: '{steps.only.picture}', asset: { kind: 'image' } } },
};
const WORKFLOW = {
  '1': { class_type: 'EmptyImage', inputs: { strength: 1 } },
  // In the server's own list.
  '2': { class_type: 'HouseInvert', inputs: { picture: ['1', 0], amount: 1, lost: 2 } },
  // In ours.
  '3': { class_type: 'SDV_img2vid_Conditioning', inputs: { strength: 1, image: ['2', 1] } },
  '9': { class_type: 'SaveImage', inputs: { strength: 1, images: ['3', 0], filename_prefix: 'aged' } },
};
const LIST = {
  HouseInvert: [
    {
      new_node_id: 'ImageInvert',
      input_mapping: [
        { new_id: 'image', old_id: 'picture' },
        { new_id: 'strength', old_id: 'amount' },
      ],
      output_mapping: [{ old_idx: 1, new_idx: 0 }],
    },
  ],
};

let templates = '';
let engine: Engine;
beforeEach(async () => {
  templates = mkdtempSync(join(tmpdir(), 'callsheet-aged-'));
  mkdirSync(join(templates, 'aged'));
  writeFileSync(join(templates, 'aged/template.json'), JSON.stringify(MANIFEST));
  writeFileSync(join(templates, 'aged/w.json'), JSON.stringify(WORKFLOW));
  engine = await startEngine({ templates });
  engine.fake.classes.add('SVD_img2vid_Conditioning');
  const body = JSON.stringify(LIST);
  engine.fake.misbehave({ path: /^\/node_replacements$/, mode: { kind: 'reply', status: 200, type: 'application/json', body } });
});
afterEach(async () => {
  await engine.close();
  rmSync(templates, { recursive: true, force: true });
});

const start = async (parameters = {}) => engine.ended((await engine.supervisor.start({ template: 'aged', parameters })).runId);
const sent = () => engine.fake.engine.ledger.map(({ prompt }) => prompt);

describe('a run on a server that has replaced classes of its template', () => {
  it('sends the new ones and succeeds; progress and results speak of the author’s nodes', async () => {
    const notices: ProgressNotice[] = [];
    engine.supervisor.onProgress((notice) => void notices.push(notice));
    engine.fake.engine.plan = () => ({ ticks: 3 });
    const run = await start();
    expect(run.error).toBeUndefined();
    expect(run).toMatchObject({ status: 'succeeded', artifacts: [{ step: 'only', output: 'picture' }] });
    expect(sent()).toMatchObject([
      {
        '2': { class_type: 'ImageInvert', inputs: { image: ['1', 0], strength: 5 } },
        '3': { class_type: 'SVD_img2vid_Conditioning', inputs: { image: ['2', 0] } },
      },
    ]);
    expect(Object.keys(sent()[0]?.['2']?.inputs ?? {}).toSorted()).toEqual(['image', 'strength']);
    const nodes = notices.flatMap(({ node }) => node ?? []);
    expect(nodes.filter((node) => !Object.hasOwn(WORKFLOW, node))).toEqual([]);
    expect(nodes.length).toBeGreaterThan(0);
  });

  it('tells errors of the author’s node, also of one that a patch put in for it', async () => {
    engine.fake.engine.plan = () => ({ error: { node: '2', type: 'RuntimeError', message: 'no' } });
    expect(await start()).toMatchObject({ status: 'failed', error: { node: '2', step: 'only' } });
    engine.fake.engine.plan = () => ({ error: { node: '3:patch1-other', type: 'RuntimeError', message: 'no' } });
    expect(await start({ picked: true })).toMatchObject({ status: 'failed', error: { node: '3', step: 'only' } });
    expect(sent().at(-1)).toMatchObject({
      '3:patch1-other': { class_type: 'ImageInvert', inputs: { image: ['2', 0], strength: 7 } },
      '9': { inputs: { images: ['3:patch1-other', 0] } },
    });
  });

  it('sends the old ones to a server that still has them', async () => {
    engine.fake.classes.add('HouseInvert').add('SDV_img2vid_Conditioning');
    expect(await start()).toMatchObject({ status: 'succeeded' });
    expect(sent()).toMatchObject([{ '2': { class_type: 'HouseInvert' }, '3': { class_type: 'SDV_img2vid_Conditioning' } }]);
  });
});
