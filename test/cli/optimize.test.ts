/** `callsheet optimize`: the report for people and for scripts, the graph to the last digit, and what is no graph. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runCli } from '#cli/cli.ts';
import { COMMANDS } from '#cli/commands.ts';
import { openStore } from '#store/store.ts';
import { TEXT_TO_IMAGE } from '../graph/optimise/support.ts';
import { createFakeIo } from './fake-io.ts';

/** With a preview of its own branch; the seed takes all 64 bits, and a float keeps its point. */
const GRAPH = JSON.stringify(
  {
    ...TEXT_TO_IMAGE,
    '20': { class_type: 'PreviewImage', inputs: { images: ['21', 0] }, _meta: { title: 'Look' } },
    '21': { class_type: 'ImageInvert', inputs: { image: ['8', 0] } },
  },
  undefined,
  2,
)
  .replace('"seed": 42', '"seed": 18446744073709551615')
  .replace('"cfg": 7', '"cfg": 7.0');

function prepare(files: Readonly<Record<string, string>> = { 'graph.json': GRAPH }) {
  const cwd = mkdtempSync(join(tmpdir(), 'callsheet-optimize-'));
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text);
  const io = createFakeIo({ cwd, env: { CALLSHEET_DATA: join(cwd, 'data') } });
  return { cwd, io, run: (...argv: string[]) => runCli(COMMANDS, ['optimize', ...argv], io) };
}

describe('callsheet optimize', () => {
  it('says per pass which nodes went and why', async () => {
    const { io, run } = prepare();
    expect(await run('graph.json')).toBe(0);
    expect(io.stdout().split('\n')).toEqual([
      'graph.json: 7 of 9 nodes would be sent.',
      '  previews: Nobody looks at it: no output of the step names it, and what it shows is kept nowhere.',
      '    20 PreviewImage "Look"',
      '    21 ImageInvert',
      '',
    ]);
    expect(io.stderr()).toContain('No object info at hand');
  });

  it('gives graph and report on one line, every digit and point as it was', async () => {
    const { io, run } = prepare();
    expect(await run('graph.json', '--json')).toBe(0);
    expect(io.stdout().trimEnd()).not.toContain('\n');
    expect(io.stdout()).toContain('"seed":18446744073709551615');
    expect(io.stdout()).toContain('"cfg":7.0');
    const { graph, report } = JSON.parse(io.stdout()) as { graph: object; report: object };
    expect(Object.keys(graph)).toEqual(Object.keys(TEXT_TO_IMAGE));
    expect(report).toEqual({
      nodes: { before: 9, after: 7 },
      savings: [
        {
          pass: 'previews',
          nodes: [
            { id: '20', classType: 'PreviewImage', title: 'Look' },
            { id: '21', classType: 'ImageInvert' },
          ],
          why: 'Nobody looks at it: no output of the step names it, and what it shows is kept nowhere.',
        },
      ],
    });
  });

  it('takes the outputs that are wanted', async () => {
    const { io, run } = prepare();
    expect(await run('graph.json', '--output', '20', '--json')).toBe(0);
    expect(Object.keys((JSON.parse(io.stdout()) as { graph: object }).graph)).not.toContain('9');
    expect(await run('graph.json', '--output', '22')).toBe(2);
    expect(io.stderr()).toContain('Option --output: the graph has no node "22".');
  });

  it('says what earlier runs took', async () => {
    const { cwd, io, run } = prepare();
    const store = openStore({ dir: join(cwd, 'data') });
    const ofClass = (name: string, backend: string, seconds: number) => ({
      template: '',
      step: '',
      backend,
      part: `class.${name}`,
      seconds,
    });
    store.commit({ timings: [ofClass('PreviewImage', 'a', 1), ofClass('ImageInvert', 'a', 2), ofClass('ImageInvert', 'b', 4)] });
    expect(await run('graph.json')).toBe(0);
    store.close();
    expect(io.stdout()).toContain('7 of 9 nodes would be sent, about 4.0 s saved by what earlier runs took.');
    expect(io.stdout()).toContain('previews, about 4.0 s saved: Nobody looks at it');
  });

  it('says when there is nothing to take out, and why a graph is not looked at', async () => {
    const info = {
      Loop: { input: { required: {}, hidden: { dynprompt: 'DYNPROMPT' } }, output: [], output_node: true, python_module: 'custom_nodes.x' },
    };
    const { io, run } = prepare({
      'plain.json': JSON.stringify(TEXT_TO_IMAGE),
      'loop.json': JSON.stringify({ '1': { class_type: 'Loop', inputs: {} } }),
      'info.json': JSON.stringify(info),
    });
    expect(await run('plain.json')).toBe(0);
    expect(io.stdout()).toContain('plain.json: 7 nodes, nothing to take out.');
    expect(await run('loop.json', '--object-info', 'info.json')).toBe(0);
    expect(io.stdout()).toContain('loop.json: sent as it is. Node 1 (Loop) is handed the whole graph and may read any of it.');
  });

  it('reads a workflow in UI format', async () => {
    const ui = {
      nodes: [{ id: 1, type: 'EmptyImage', outputs: [{ name: 'IMAGE', type: 'IMAGE' }], widgets_values: [64, 64, 1, 0] }],
      links: [],
    };
    const { io, run } = prepare({ 'ui.json': JSON.stringify(ui) });
    expect(await run('ui.json')).toBe(0);
    expect(io.stdout()).toBe('ui.json: sent as it is. No node of the graph is an output.\n');
  });

  it.each([
    ['broken.json', '{"1": {', 'JSON_SYNTAX'],
    ['settings.json', '{"model_type": "t2v", "prompt": ""}', 'GRAPH_NOT_API'],
    ['circle.json', '{"1": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}}}', 'GRAPH_CYCLE'],
    ['dangling.json', '{"1": {"class_type": "ImageInvert", "inputs": {"image": ["2", 0]}}}', 'GRAPH_LINK_DANGLING'],
    ['node.json', '{"1": {"class_type": "ImageInvert"}}', 'GRAPH_NODE_INVALID'],
    ['empty.json', '', 'JSON_SYNTAX'],
  ])('refuses %s with a line, a code and a cure, and prints nothing', async (name, text, code) => {
    const { io, run } = prepare({ [name]: text });
    expect(await run(name)).toBe(1);
    expect(io.stdout()).toBe('');
    expect(io.stderr()).toMatch(new RegExp(`^${name}:1:\\d+ error ${code} .+\\n {4}.+`, 'm'));
    expect(io.stderr()).toContain(`callsheet optimize: ${name} can not be optimised: 1 error.`);
  });

  it('answers misuse with one sentence and code 2', async () => {
    const { io, run } = prepare();
    for (const argv of [[], ['a', 'b'], ['none.json'], ['graph.json', '--object-info', 'none.json']]) expect(await run(...argv)).toBe(2);
    expect(io.stdout()).toBe('');
  });
});
