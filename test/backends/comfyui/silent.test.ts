/** Nodes that save and say nothing: their files are found in the attempt's own folder, and nowhere else. */
import { describe, expect, it } from 'vitest';
import { fileNames } from '#backends/comfyui/file-names.ts';
import { withSilent } from '#backends/comfyui/silent.ts';
import type { RemoteOutputs } from '#backends/contract.ts';
import type { FakeComfyUI } from '../../fakes/fake-comfyui.ts';
import { connect, newAttempt, record, startFake } from './harness.ts';

type GraphOf = Record<string, { class_type: string; inputs: Record<string, unknown> }>;

const ID = '01234567-89ab-4cde-8f01-23456789abcd';
const NOTHING: RemoteOutputs = { files: [], texts: [], cachedNodes: [] };

/** Files by their path in the output folder, and every name that was asked for. */
function server(...there: readonly string[]) {
  const asked: string[] = [];
  const open = ({ path }: { readonly path: string }) => {
    const query = new URLSearchParams(path.slice(path.indexOf('?')));
    const name = `${query.get('subfolder') ?? ''}/${query.get('filename') ?? ''}`;
    asked.push(name);
    const statusCode = name.includes('..') ? 400 : there.includes(name) ? 200 : 404;
    return Promise.resolve({ statusCode, headers: {}, destroy: () => undefined });
  };
  return { http: { open, address: { label: 'here' } } as never, asked };
}

function entry(graph: GraphOf, outputs: Record<string, unknown> = {}) {
  return { prompt: [1, ID, graph, {}, Object.keys(graph)], outputs };
}

const own = (name: string) => `callsheet/${ID}/${name}`;
const saver = (inputs: Record<string, unknown>, class_type = 'Quiet Saver') => ({
  class_type,
  inputs: { filename_prefix: own('a/shot'), ...inputs },
});

async function find(graph: GraphOf, there: readonly string[], outputs = {}) {
  const { http, asked } = server(...there);
  const found = await withSilent({ http, timeoutMs: 1000 }, entry(graph, outputs), NOTHING);
  return {
    found: found.files.map(({ node, subfolder, filename, isGuess }) => `${node} ${subfolder}/${filename} ${String(isGuess)}`),
    asked,
  };
}

describe('nodes that report nothing', () => {
  it('have their numbered files found, in order, until one is missing', async () => {
    const there = ['00001_', '00002_', '00004_'].map((number) => own(`a/shot_${number}.png`));
    expect((await find({ 7: saver({}) }, there)).found).toEqual([
      `7 ${own('a/shot_00001_.png')} true`,
      `7 ${own('a/shot_00002_.png')} true`,
    ]);
  });

  it('are not asked about when they did report, or save nowhere of their own', async () => {
    const reported = await find({ 7: saver({}) }, [], { 7: { images: [] } });
    const elsewhere = await find({ 7: { class_type: 'X', inputs: { filename_prefix: 'shot' } }, 8: { class_type: 'Y', inputs: {} } }, []);
    const linked = await find({ 7: { class_type: 'X', inputs: { filename_prefix: ['1', 0] } } }, []);
    const variable = await find({ 7: saver({ filename_prefix: own('%year%/shot') }) }, []);
    expect([reported, elsewhere, linked, variable].flatMap(({ found, asked }) => [...found, ...asked])).toEqual([]);
  });

  it.each<[string, Record<string, unknown>, string, string]>([
    ['by the ending that an input names', { extension: 'jpg' }, 'Quiet Saver', 'a/shot_00001_.jpg'],
    ['by the container of a format', { format: 'video/h264-mp4' }, 'Quiet Saver', 'a/shot_00001.mp4'],
    ['by what the class is called', {}, 'SaveMeshQuietly', 'a/shot_00001_.glb'],
    ['as sounds', {}, 'MuteAudioSaver', 'a/shot_00001_.flac'],
    ['with four digits', {}, 'Quiet Saver', 'a/shot_0001.png'],
    ['without a number', {}, 'TextFileSaver', 'a/shot.txt'],
    ['as models', {}, 'CheckpointSave', 'a/shot_00001_.safetensors'],
  ])('are found %s', async (_, inputs, classType, file) => {
    expect((await find({ 7: saver(inputs, classType) }, [own(file)])).found).toEqual([`7 ${own(file)} true`]);
  });

  it('are found in a folder that an input of their own names', async () => {
    const inputs = {
      output_path: own('b'),
      filename_prefix: 'x y',
      filename_delimiter: '-',
      filename_number_padding: 3,
      filename_number_start: 'true',
    };
    const { found, asked } = await find({ 7: saver(inputs) }, [own('b/001-x y.png'), own('b/002-x y.png')]);
    expect(found).toHaveLength(2);
    expect(asked.every((name) => name.startsWith(own('b')))).toBe(true);
  });

  it('give nothing, and hold nothing up, where the server takes no such name or fails', async () => {
    expect((await find({ 7: saver({ filename_prefix: own('a..b') }) }, [])).found).toEqual([]);
    const broken = { open: () => Promise.resolve({ statusCode: 500, headers: {}, destroy: () => undefined }), address: { label: 'here' } };
    expect((await withSilent({ http: broken as never, timeoutMs: 1 }, entry({ 7: saver({}) }), NOTHING)).files).toEqual([]);
  });

  it('cost a bounded number of questions', async () => {
    const names = fileNames({ classType: 'AnythingAtAll', stem: 'x', inputs: {} });
    expect(names.length).toBeLessThan(80);
    expect(new Set(names.map((name) => name.at(1))).size).toBe(names.length);
  });

  it('come home through the backend, beside what others report', async () => {
    const fake: FakeComfyUI = await startFake();
    const attempt = newAttempt();
    const folder = `output/callsheet/${attempt.promptId}`;
    fake.files.set(`${folder}/quiet_00001_.png`, Buffer.from('x'));
    fake.engine.plan = () => ({ outputs: { 3: { text: ['loud'] } } });
    const backend = connect(fake.url);
    const recorder = record(backend, attempt);
    const graph = {
      2: { class_type: 'SaveImage', inputs: { filename_prefix: 'quiet', images: ['1', 0] } },
      1: { class_type: 'EmptyImage', inputs: { width: 8, height: 8, batch_size: 1, color: 0 } },
      3: { class_type: 'PreviewAny', inputs: { source: ['1', 0] } },
    };
    await backend.submit(attempt, { text: JSON.stringify(graph), outputNodes: [] });
    expect(await recorder.end).toMatchObject({
      type: 'finished',
      outputs: { files: [{ node: '2', filename: 'quiet_00001_.png' }], texts: [{ text: 'loud' }] },
    });
  });
});
