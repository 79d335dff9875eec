/** What nodes report: one row per producer of comfyui.md 3.1. */
import { describe, expect, it } from 'vitest';
import { readOutputs } from '#backends/comfyui/outputs.ts';
import { readHistoryEntry } from '#backends/comfyui/history.ts';

const triple = (filename: string, type = 'output', subfolder = '') => ({ filename, subfolder, type });

describe('outputs of nodes', () => {
  it.each([
    ['SaveImage', { images: [triple('a.png')] }, ['images a.png output']],
    ['PreviewImage', { images: [triple('t.png', 'temp')] }, ['images t.png temp']],
    ['SaveVideo, a film under images', { images: [triple('a.mp4')], animated: [true] }, ['images a.mp4 output']],
    ['VHS_VideoCombine', { gifs: [{ ...triple('a.mp4'), format: 'video/h264-mp4', fullpath: '/out/a.mp4' }] }, ['gifs a.mp4 output']],
    ['SaveAudio', { audio: [triple('a.flac', 'output', 'audio')] }, ['audio a.flac output']],
    ['SaveGLB', { '3d': [triple('a.glb')] }, ['3d a.glb output']],
    [
      'Preview3D, a path with the separators of the server',
      { result: [String.raw`mesh\a.glb`, null, { camera: 1 }] },
      ['result a.glb output'],
    ],
    ['SaveLatent', { latents: [triple('a.latent')] }, ['latents a.latent output']],
    [
      'a pack with keys of its own',
      { a_images: [triple('l.png', 'temp')], b_images: [triple('r.png', 'temp')] },
      ['a_images l.png temp', 'b_images r.png temp'],
    ],
    ['an item without sub-folder and with unknown fields', { images: [{ filename: 'a.png', id: 5 }] }, ['images a.png output']],
    ['nonsense', { images: [null, 5, 'a.png', { filename: 7 }, { filename: 'x', type: 'elsewhere' }], tags: ['a.glb'] }, []],
    ['a path that ComfyUI spelt letter by letter', { mesh: Array.from('m/a.obj') }, ['mesh a.obj output']],
    ['a path with an annotation', { model_file: ['3d/a.fbx [input]'] }, ['model_file a.fbx input']],
    [
      'absolute paths of the server, and those elsewhere, which nobody can ask for',
      { previews: [{ filepath: String.raw`C:\ComfyUI\output\3d\a.glb` }, { filepath: '/srv/other/b.glb' }], glb_path: ['/x/temp/c.glb'] },
      ['filepath a.glb output', 'glb_path c.glb temp'],
    ],
    ['a format without a name here', { splat_file: 'a.ksplat' }, ['splat_file a.ksplat output']],
    ['names that no file has', { images: [triple('a\0b.png'), triple('x'.repeat(5000)), triple('a.png', 'output', 'b\nc')] }, []],
  ])('are files for %s', (_producer, ui, expected) => {
    const { files } = readOutputs({ 9: ui }, {}, []);
    expect(files.map((file) => `${file.key} ${file.filename} ${file.type}`)).toEqual(expected);
  });

  it.each([
    [{ text: ['a', 'b'] }, ['a', 'b']],
    [{ text: 'one' }, ['one']],
    [{ text: [['nested'], 'x'] }, ['nested', 'x']],
    [{ string: ['pysssss'] }, ['pysssss']],
    [{ text: ['w', 'h', 'o', 'l', 'e'] }, ['whole']],
    [{ text: ['1', '2', '3'] }, ['1', '2', '3']],
    [{ text: [1.5, true, null] }, ['1.5', 'true']],
    [{ caption: [[['deep']]], animated: [true] }, ['deep']],
  ])('are texts for %j', (ui, expected) => {
    expect(readOutputs({ 9: ui }, {}, []).texts).toEqual(expected.map((found) => ({ node: '9', text: found })));
  });

  it('are kept with their key where it says nothing, for a node that gives nothing else', () => {
    const ui = { tags: ['1girl, solo', ''], format: ['png'], bboxes: [[1, 2]], page: ['x'.repeat(70_000)] };
    expect(readOutputs({ 9: ui }, {}, []).texts).toEqual([{ node: '9', key: 'tags', text: '1girl, solo' }]);
  });

  it('of an expansion come in the order in which it was made', () => {
    const ids = ['7', '5.0.0.10', '5.0.0.9', '5.0.0.2', '6'];
    const outputs = Object.fromEntries(ids.map((id) => [id, { images: [triple(`${id}.png`)] }]));
    const { files } = readOutputs(outputs, {}, [], new Set(['5', '6', '7']));
    expect(files.map(({ node, filename }) => [node, filename])).toEqual([
      ['6', '6.png'],
      ['7', '7.png'],
      ['5', '5.0.0.2.png'],
      ['5', '5.0.0.9.png'],
      ['5', '5.0.0.10.png'],
    ]);
  });

  it('of a node whose own id looks like one of an expansion stay with it', () => {
    expect(readOutputs({ '5.0.0.1': { text: 'x' } }, {}, [], new Set(['5', '5.0.0.1'])).texts).toEqual([{ node: '5.0.0.1', text: 'x' }]);
  });

  it('belong to the node of the graph, not to one that arose in an expansion', () => {
    const meta = { '5.0.0.1': { node_id: '5.0.0.1', display_node: '5', parent_node: '5', real_node_id: '5' } };
    expect(readOutputs({ '5.0.0.1': { images: [triple('a.png')] } }, meta, []).files[0]?.node).toBe('5');
    // Jobs of /api/jobs come without it.
    expect(readOutputs({ '5.0.0.1': { images: [triple('a.png')] } }, undefined, [], new Set(['5'])).files[0]?.node).toBe('5');
  });

  it('belong to each of several equal nodes, of which ComfyUI executes one and names it in the meta of all', () => {
    const meta = {
      9: { node_id: '9', display_node: '9', parent_node: null, real_node_id: '9' },
      8: { node_id: '9', display_node: '9', parent_node: null, real_node_id: '9' },
    };
    const ui = { images: [triple('a.png')] };
    expect(
      readOutputs({ 9: ui, 8: ui }, meta, [])
        .files.map(({ node }) => node)
        .toSorted(),
    ).toEqual(['8', '9']);
  });

  it('keep the sub-folder of the server as it is', () => {
    expect(readOutputs({ 1: { images: [triple('a.png', 'output', String.raw`x\y`)] } }, {}, []).files[0]?.subfolder).toBe(String.raw`x\y`);
  });

  it('name a file once that a node reports twice', () => {
    expect(
      readOutputs(
        { 1: { images: [triple('a.png'), triple('a.png')], result: ['m/a.glb'], '3d': [triple('a.glb', 'output', 'm')] } },
        {},
        [],
      ).files,
    ).toHaveLength(2);
  });

  it('carry the mark of a draft', () => {
    expect(readOutputs({ 1: { images: [{ ...triple('a.png'), draft: true }] } }, {}, []).files[0]?.draft).toBe(true);
  });

  it.each([null, 5, [], { 1: null }, { 1: [] }])('are none in %j', (outputs) => {
    expect(readOutputs(outputs, null, [])).toEqual({ files: [], texts: [], cachedNodes: [] });
  });
});

describe('an entry of the history', () => {
  it('is a failure when it holds an error, although its status says success (a cycle found while running)', () => {
    const messages = [
      ['execution_error', { node_id: '3', exception_type: 'graph.DependencyCycleError', exception_message: 'cycle', current_inputs: [] }],
    ];
    expect(readHistoryEntry({ status: { status_str: 'success', messages } })).toMatchObject({ state: 'failed', error: { node: '3' } });
  });

  it('is a success without status, as old servers write it', () => {
    expect(readHistoryEntry({ outputs: {}, status: null })).toEqual({
      state: 'finished',
      outputs: { files: [], texts: [], cachedNodes: [] },
    });
  });
});
