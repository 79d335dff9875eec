/** Small workflows in UI format, and the object info they are converted with. */
import { convertWorkflow, type ConvertOptions } from '../../../src/graph/convert/convert.ts';
import { parseGraph } from '../../../src/graph/graph.ts';
import { parseObjectInfo } from '../../../src/graph/object-info.ts';
import type { Problem } from '../../../src/protocol/problem.ts';

type Input = readonly [type: unknown, options?: object];
const nodeClass = (required: Record<string, Input>, output: readonly string[] = [], optional: Record<string, Input> = {}) => ({
  input: { required, optional },
  output,
  output_name: output,
  output_node: output.length === 0,
});

const MODEL: Input = ['MODEL'];
const KEYS = [
  { key: 'size', inputs: { required: { width: ['INT', { default: 64 }], height: ['INT', { default: 32 }] } } },
  { key: 'scale', inputs: { required: { by: ['FLOAT', { default: 1 }] } } },
];

export const OBJECT_INFO = {
  Load: nodeClass({ name: [['a.safetensors', 'b.safetensors']] }, ['MODEL', 'CLIP']),
  Tune: nodeClass({ model: MODEL, strength: ['FLOAT', { default: 1 }] }, ['MODEL']),
  Both: nodeClass({ first: MODEL, clip: ['CLIP'] }, ['CLIP', 'MODEL']),
  Sample: nodeClass({ model: MODEL, seed: ['INT', { default: 0 }], steps: ['INT', { default: 20 }], mode: [['fast', 'slow']] }, ['LATENT']),
  Forced: nodeClass({ model: MODEL, text: ['STRING', { forceInput: true }], steps: ['INT', { default: 20 }] }, ['LATENT']),
  Text: nodeClass({ text: ['STRING', { multiline: true, dynamicPrompts: true }] }, ['STRING']),
  Number: nodeClass({ value: ['INT', { default: 7 }] }, ['INT']),
  Picture: nodeClass({ image: [['x.png'], { image_upload: true }] }, ['IMAGE'], { depth: ['INT', { default: 8 }] }),
  Resize: nodeClass({ image: ['IMAGE'], by: ['COMFY_DYNAMICCOMBO_V3', { options: KEYS }], method: [['area', 'lanczos']] }, ['IMAGE']),
  Batch: nodeClass(
    { images: ['COMFY_AUTOGROW_V3', { template: { input: { required: { image: ['IMAGE'] } }, prefix: 'image', min: 2, max: 8 } }] },
    ['IMAGE'],
  ),
  Colours: nodeClass({ list: ['STRING', { default: '' }] }, ['STRING']),
  Scale: nodeClass({
    width: ['INT', { default: 512, min: 16, max: 4096, step: 8 }],
    cfg: ['FLOAT', { default: 8, min: 0, max: 100, step: 0.1, round: 0.01 }],
    denoise: ['FLOAT', { default: 1, min: 0, max: 1, step: 0.01 }],
    plain: ['FLOAT', { default: 1 }],
    free: ['INT', { default: 1 }],
    count: ['INT', { default: 1, min: 1, max: 100 }],
  }),
  Remote: nodeClass({
    name: ['COMBO', { remote: { route: '/internal/files', refresh_button: true } }],
    count: ['INT', { default: 1 }],
  }),
  Several: nodeClass({ tags: ['COMBO', { options: ['a', 'b'], multi_select: { placeholder: '' } }] }),
  Sketch: nodeClass({}, [], { image: [['x.png'], { image_upload: true }], depth: ['INT', { default: 8 }] }),
  'Power Lora Loader (rgthree)': nodeClass({}, ['MODEL'], { model: MODEL }),
  Save: nodeClass({ filename_prefix: ['STRING', { default: 'out' }] }, [], {
    images: ['IMAGE'],
    latent: ['LATENT'],
    model: MODEL,
    text: ['STRING', { forceInput: true }],
  }),
};

const { info } = parseObjectInfo(JSON.stringify(OBJECT_INFO));
if (info === undefined) throw new Error('the object info of these tests is broken');
export const INFO = info;

export interface NodeSketch {
  readonly id: number | string;
  readonly type: string;
  readonly mode?: number;
  readonly title?: string;
  /** With `true` for the input of a widget. */
  readonly in?: readonly (readonly [name: string, type: string, link: number | null, widget?: true])[];
  readonly out?: readonly string[];
  readonly values?: unknown;
  readonly more?: object;
}

export const node = ({ id, type, mode = 0, title, in: inputs = [], out = [], values, more = {} }: NodeSketch) => ({
  id,
  type,
  mode,
  ...(title === undefined ? {} : { title }),
  inputs: inputs.map(([name, slotType, link, widget]) => ({
    name,
    type: slotType,
    link,
    ...(widget === true ? { widget: { name } } : {}),
  })),
  outputs: out.map((slotType) => ({ name: slotType, type: slotType, links: [] })),
  ...(values === undefined ? {} : { widgets_values: values }),
  ...more,
});

export type Link = readonly [id: number, from: number | string, slot: number, to: number | string, at: number];

export const workflow = (nodes: readonly NodeSketch[], links: readonly Link[] = [], more: object = {}) => ({
  last_node_id: 100,
  last_link_id: 100,
  nodes: nodes.map(node),
  links: links.map((link) => [...link, '*']),
  version: 0.4,
  ...more,
});

/** A definition; its links are objects, as in format 1.0. */
export const subgraph = (
  id: string,
  nodes: readonly NodeSketch[],
  links: readonly Link[],
  inputs: readonly (readonly [name: string, type: string, links: readonly number[]])[] = [],
  outputs: readonly (readonly [name: string, type: string, links: readonly number[]])[] = [],
) => ({
  id,
  name: 'Inner',
  nodes: nodes.map(node),
  links: links.map(([link, from, slot, to, at]) => ({
    id: link,
    origin_id: from,
    origin_slot: slot,
    target_id: to,
    target_slot: at,
    type: '*',
  })),
  inputs: inputs.map(([name, type, linkIds], index) => ({ id: `in${index}`, name, type, linkIds })),
  outputs: outputs.map(([name, type, linkIds], index) => ({ id: `out${index}`, name, type, linkIds })),
});

export interface Converted {
  /** Inputs by node id; undefined when there is no graph. */
  readonly nodes: Readonly<Record<string, Readonly<Record<string, unknown>>>> | undefined;
  readonly text: string | undefined;
  readonly problems: readonly Problem[];
  readonly codes: readonly string[];
}

export function convert(ui: object | string, options: ConvertOptions = {}): Converted {
  const { graph, problems } = convertWorkflow(typeof ui === 'string' ? ui : JSON.stringify(ui), INFO, options);
  const codes = problems.map(({ code }) => code);
  if (graph === undefined) return { nodes: undefined, text: undefined, problems, codes };
  if (parseGraph(graph).problems.length > 0) throw new Error(`not a graph:\n${graph}`);
  const parsed = JSON.parse(graph) as Record<string, { inputs: Record<string, unknown> }>;
  return { nodes: Object.fromEntries(Object.entries(parsed).map(([id, { inputs }]) => [id, inputs])), text: graph, problems, codes };
}
