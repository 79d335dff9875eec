/** Patches over node classes that were replaced: what the author wrote for the old classes holds for the new ones. */
import { describe, expect, it } from 'vitest';
import { type ObjectInfo, parseObjectInfo } from '#graph/object-info.ts';
import type { NodeReplacement } from '#graph/types.ts';
import { checkTemplateAgainst } from '#templates/against-object-info.ts';
import { currentTemplate } from '#templates/replace-in-template.ts';
import { planMigration } from '#templates/plan-migration.ts';
import type { Value } from '#templates/types.ts';
import { writeMigration } from '#templates/write-migration.ts';
import { loadTemplate } from '#templates/load.ts';
import { codes, compiled, folderWith, manifest, render, scope } from './support.ts';

const one = (required: object, output: readonly string[], more: object = {}) => ({
  input: { required },
  output,
  python_module: 'nodes',
  ...more,
});
const text = ['STRING', {}];
const CLASSES = {
  NewLoader: one({ ckpt: text, kind: [['plain', 'other'], { default: 'plain' }] }, ['VAE', 'MODEL', 'CLIP']),
  NewFilter: one({ source: ['IMAGE'], level: ['FLOAT', {}] }, ['MASK', 'IMAGE']),
  LoraLoader: one(
    {
      model: ['MODEL'],
      clip: ['CLIP'],
      lora_name: [['a.safetensors', 'b.safetensors']],
      strength_model: ['FLOAT', {}],
      strength_clip: ['FLOAT', {}],
    },
    ['MODEL', 'CLIP'],
  ),
  Draw: one({ model: ['MODEL'], clip: ['CLIP'], text }, ['IMAGE']),
  Save: one({ images: ['IMAGE'] }, [], { output_node: true }),
};
const REPLACEMENTS: readonly NodeReplacement[] = [
  {
    from: 'OldLoader',
    to: 'NewLoader',
    inputs: [{ from: 'name', to: 'ckpt' }],
    outputs: new Map([
      [0, 1],
      [1, 2],
    ]),
    source: 'the test',
  },
  {
    from: 'OldFilter',
    to: 'NewFilter',
    inputs: [
      { from: 'image', to: 'source' },
      { from: 'amount', to: 'level' },
    ],
    outputs: new Map([[0, 1]]),
    source: 'the test',
  },
];
const info: ObjectInfo = { classes: parseObjectInfo(JSON.stringify(CLASSES)).info?.classes ?? new Map(), replacements: REPLACEMENTS };

const GRAPH = {
  '1': { class_type: 'OldLoader', inputs: { name: 'base' } },
  '2': { class_type: 'Draw', inputs: { model: ['1', 0], clip: ['1', 1], text: 'a' } },
  '3': { class_type: 'OldFilter', inputs: { image: ['2', 0], amount: 1 } },
  '9': { class_type: 'Save', inputs: { images: ['3', 0] } },
};
const PARAMETERS = {
  loras: { type: 'list', of: 'model', folder: 'loras', weighted: true, default: [] },
  amount: { type: 'number', default: 2 },
};

const made = (step: object) => compiled(manifest({ parameters: PARAMETERS }, step), { 'w.json': GRAPH });

function sent(step: object, params: Readonly<Record<string, Value>> = {}, profile?: 'low') {
  const current = currentTemplate(made(step), info);
  const [compiledStep] = current.template.steps;
  if (compiledStep === undefined) throw new Error('no step');
  const template =
    profile === undefined ? current.template : { ...current.template, steps: [{ ...compiledStep, sites: compiledStep.lowMemory ?? [] }] };
  const { value, problems } = render(template, scope({ loras: [], amount: 2, ...params }), 'a', info);
  if (value === undefined) throw new Error(problems.map(({ message }) => message).join('\n'));
  return { graph: JSON.parse(value.text) as Record<string, unknown>, done: value.patches, problems, told: current.problems };
}

const wrong = (step: object) =>
  checkTemplateAgainst(made(step), info, (name) => name).filter(({ code }) => !code.startsWith('TEMPLATE_NODE_REPLACED'));

describe('patches of replaced classes', () => {
  it('[TV4] bypass a node as what it became', () => {
    const step = { patch: [{ bypass: '3' }] };
    expect(sent(step).graph).toMatchObject({ '9': { inputs: { images: ['2', 0] } } });
    expect(wrong(step)).toEqual([]);
  });

  it('[TV4] put LoRAs behind the outputs that a loader has now', () => {
    const step = { patch: [{ loras: '{loras}', after: '1' }] };
    expect(sent(step, { loras: ['b.safetensors'] }).graph).toMatchObject({
      '1': { class_type: 'NewLoader', inputs: { ckpt: 'base', kind: 'plain' } },
      '1:patch1-lora1': { inputs: { model: ['1', 1], clip: ['1', 2], lora_name: 'b.safetensors' } },
      '2': { inputs: { model: ['1:patch1-lora1', 0], clip: ['1:patch1-lora1', 1] } },
    });
    expect(wrong(step)).toEqual([]);
  });

  const SWAP = {
    patch: [
      {
        swap: '3',
        nodes: {
          first: { class_type: 'OldFilter', inputs: { image: ['2', 0], amount: '{amount}' } },
          last: { class_type: 'OldFilter', inputs: { image: ['first', 0], amount: 3 } },
        },
        outputs: { '0': ['last', 0] },
      },
    ],
  };

  it('[TV6] swap in nodes of old classes as new ones, with the inputs that placeholders fill', () => {
    const { graph, done, problems } = sent(SWAP, { amount: 7 });
    expect(graph).toEqual({
      '1': { class_type: 'NewLoader', inputs: { ckpt: 'base', kind: 'plain' } },
      '2': { class_type: 'Draw', inputs: { model: ['1', 1], clip: ['1', 2], text: 'a' } },
      '3:patch1-first': { class_type: 'NewFilter', inputs: { source: ['2', 0], level: 7 }, _meta: { title: 'OldFilter' } },
      '3:patch1-last': { class_type: 'NewFilter', inputs: { source: ['3:patch1-first', 1], level: 3 }, _meta: { title: 'OldFilter' } },
      '9': { class_type: 'Save', inputs: { images: ['3:patch1-last', 1] } },
    });
    expect(done).toContain('Node 3:patch1-first (OldFilter) becomes NewFilter');
    expect(problems.map(({ code, pointer, node }) => [code, pointer, node])).toEqual([
      ['TEMPLATE_NODE_REPLACED', '/steps/0/patch/0', '3:patch1-first'],
      ['TEMPLATE_NODE_REPLACED', '/steps/0/patch/0', '3:patch1-last'],
    ]);
    expect(wrong(SWAP)).toEqual([]);
  });

  it('[TV6] lead the outputs and links that a swap names to where the new class has them', () => {
    const step = {
      patch: [
        {
          swap: '1',
          nodes: { it: { class_type: 'NewLoader', inputs: { ckpt: 'x', kind: 'other' } } },
          outputs: { '0': ['it', 1], '1': ['it', 2] },
        },
        { swap: '2', nodes: { draw: { class_type: 'Draw', inputs: { model: ['1', 0], clip: ['1', 1], text: 'b' } } } },
      ],
    };
    expect(sent(step).graph).toMatchObject({ '2:patch2-draw': { inputs: { model: ['1:patch1-it', 1], clip: ['1:patch1-it', 2] } } });
    expect(wrong(step)).toEqual([]);
    const alone = { patch: step.patch.slice(1) };
    expect(sent(alone).graph).toMatchObject({ '2:patch1-draw': { inputs: { model: ['1', 1], clip: ['1', 2] } } });
  });

  it('[TV6] say when two outputs that a swap gives from different nodes are one now', () => {
    const merged = { ...info, replacements: REPLACEMENTS.map((each) => ({ ...each, outputs: new Map([[1, 0]]) })) };
    const swap = (other: string) =>
      made({
        patch: [
          {
            swap: '1',
            nodes: { a: { class_type: 'NewLoader', inputs: {} }, b: { class_type: 'NewLoader', inputs: {} } },
            outputs: { '0': ['a', 0], '1': [other, 0] },
          },
        ],
      });
    const lost = ({ problems }: { problems: readonly { code: string; pointer?: string }[] }) =>
      problems.filter(({ code }) => code === 'TEMPLATE_NODE_REPLACED_OUTPUT').map(({ pointer }) => pointer);
    expect(lost(currentTemplate(swap('b'), merged))).toEqual(['/steps/0/patch/0']);
    expect(lost(currentTemplate(swap('a'), merged))).toEqual([]);
  });

  it('[TV6] fill the lower profile under the new names as well', () => {
    const step = { set: { '3.amount': '{amount}' }, lowMemory: { set: { '3.amount': 0.5 } } };
    expect(sent(step).graph).toMatchObject({ '3': { inputs: { level: 2 } } });
    expect(sent(step, {}, 'low').graph).toMatchObject({ '3': { class_type: 'NewFilter', inputs: { level: 0.5 } } });
    expect(sent(step).told.filter(({ severity }) => severity === 'warning')).toEqual([]);
  });

  const BY_ONE = {
    patch: [{ swap: '3', nodes: { only: { class_type: 'OldFilter', inputs: { image: ['2', 0], amount: '{amount}' } } } }],
  };
  const BY_ANOTHER = {
    patch: [{ swap: '3', nodes: { draw: { class_type: 'Draw', inputs: { model: ['1', 0], clip: ['1', 1], text: 'b' } } } }],
  };

  it.each([
    ['outputs that it names', SWAP, '"outputs":{"0":["last",0]}', '"outputs":{"1":["last",1]}'],
    ['numbers that are equal before and after', BY_ONE, '"image":["2",0]', '"source":["2",0]'],
    ['numbers that are equal no more', BY_ANOTHER, '"text":"b"}}}', '"text":"b"}}}, "outputs": { "1": ["draw", 0] }'],
  ])('[TV8] are written for the new classes, in a swap with %s, and send the same afterwards', async (_what, { patch }, before, after) => {
    const step = { patch, lowMemory: { set: { '3.amount': 0.5 } } };
    const files = { 'template.json': JSON.stringify(manifest({ parameters: PARAMETERS }, step)), 'w.json': GRAPH };
    const folder = await folderWith(files);
    const plan = planMigration(folder, { info });
    expect(new Set(codes(plan.problems))).toEqual(new Set(['TEMPLATE_NODE_REPLACED']));
    const written = plan.files.find(({ path }) => path.endsWith('template.json'))?.content.toString('utf8') ?? '';
    expect(files['template.json']).toContain(before);
    expect(written).toContain(after);
    expect(written).toContain('"3.level":0.5');
    expect(writeMigration(plan)).toEqual([]);
    expect(planMigration(folder, { info }).files).toEqual([]);
    const { template } = await loadTemplate(folder);
    if (template === undefined) throw new Error('the written template does not compile');
    const { value } = render(template, scope({ loras: [], amount: 7 }), 'a', info);
    const titleless = (graph: object) => JSON.parse(JSON.stringify(graph).replaceAll('"OldFilter"', '"NewFilter"')) as unknown;
    expect(JSON.parse(value?.text ?? '')).toEqual(titleless(sent(step, { amount: 7 }).graph));
  });
});

describe('what is told of a replacement that loses something', () => {
  it('[TV4] names every input that is another: renamed, set, left out, by default', () => {
    const inputs = {
      weight: 0.8,
      noise: 0.3,
      weight_type: 'channel penalty',
      start_at: 0,
      end_at: 1,
      unfold_batch: false,
    };
    const template = compiled(manifest({}, { outputs: {} }), { 'w.json': { '5': { class_type: 'IPAdapterApply', inputs } } });
    const classes =
      parseObjectInfo(JSON.stringify({ IPAdapterAdvanced: one({ weight: ['FLOAT', {}] }, ['MODEL']) })).info?.classes ?? new Map();
    const [problem] = currentTemplate(template, { classes }).problems;
    expect(problem?.message).toContain(
      'Set: weight_type to "linear" (it was "channel penalty"), combine_embeds to "concat", embeds_scaling to "V only". Left out: noise (0.3), unfold_batch (false).',
    );
  });
});
