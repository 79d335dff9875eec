import { describe, expect, it } from 'vitest';
import { planStep, renderStep } from '#templates/render.ts';
import { codes, compile, compiled, GRAPH, manifest, media, render, scope } from './support.ts';

const step = (id: string, more: object = {}): object => ({ id, workflow: 'w.json', outputs: { image: '9' }, ...more });
const condition = (when: string, parameters: object = {}): object => manifest({ parameters }, { when });

describe('steps', () => {
  it('[TS1] refuses two steps with one id and needs that do not exist', () => {
    const { problems } = compile(manifest({ steps: [step('base'), step('base'), step('c', { needs: ['bse'] })] }));
    expect(problems).toEqual([
      expect.objectContaining({ code: 'TEMPLATE_NAME_TWICE', step: 'base' }),
      expect.objectContaining({ code: 'TEMPLATE_STEP_UNKNOWN', step: 'c', hint: 'Did you mean "base"?' }),
    ]);
  });

  it('[TS2] takes references everywhere for needs', () => {
    const workflow = { ...GRAPH, '10': { class_type: 'LoadImage', inputs: { image: '{steps.e.image}' } } };
    const template = compiled(
      manifest({
        choices: [{ after: 'd', from: '{steps.d.image}', into: 'best' }],
        steps: [
          step('z', {
            workflow: 'own.json',
            when: 'steps.a.image != null',
            each: '{steps.b.image}',
            set: { '6.text': '{steps.c.image}', '9.filename_prefix': '{choices.best}' },
            needs: ['f'],
          }),
          ...['a', 'b', 'c', 'd', 'e', 'f'].map((id) => step(id)),
        ],
      }),
      { 'w.json': GRAPH, 'own.json': workflow },
    );
    expect(template.steps.at(-1)).toMatchObject({ id: 'z', needs: ['a', 'b', 'c', 'd', 'e', 'f'] });
  });

  it('[TS3] names a circle step by step', () => {
    const { value, problems } = compile(
      manifest({
        steps: [
          step('a', { needs: ['c'] }),
          step('b', { set: { '10.image': '{steps.a.image}' } }),
          step('c', { needs: ['b'] }),
          step('d', { needs: ['d'] }),
        ],
      }),
    );
    expect(value).toBeUndefined();
    expect(problems).toEqual([
      expect.objectContaining({
        code: 'TEMPLATE_STEP_CYCLE',
        message: 'Steps wait for each other in a circle: a needs c, c needs b, b needs a.',
        step: 'a',
      }),
      expect.objectContaining({ code: 'TEMPLATE_STEP_CYCLE', message: 'Step "d" needs itself.' }),
    ]);
  });

  it('[TS4] puts steps after what they need and else keeps their order', () => {
    const template = compiled(manifest({ steps: [step('d', { needs: ['c'] }), step('a'), step('c'), step('b', { needs: ['a'] })] }));
    expect(template.steps.map((each) => each.id)).toEqual(['c', 'd', 'a', 'b']);
  });

  it.each([
    ['params.w > 512', true],
    ['params.w + 1 == 1025', true],
    ['params.face != null', false],
    ['params.mode == "fast" && params.names.exists(n, n == "x")', true],
    ['backend.kind == "sandbox"', false],
  ])('[TS5] decides %j', (when, expected) => {
    const parameters = {
      w: { type: 'integer', default: 1024 },
      face: { type: 'image', default: null },
      mode: { type: 'choice', choices: ['fast'], default: 'fast' },
      names: { type: 'list', of: 'text', default: [] },
    };
    const plan = planStep(compiled(condition(when, parameters)), 'a', scope({ w: 1024, face: null, mode: 'fast', names: ['x'] }));
    expect(plan.value).toEqual(expected ? { items: [{}] } : { skip: `its condition is false: ${when}` });
  });

  it('[TS5] sees null in the outputs of a skipped step', () => {
    const template = compiled(manifest({ steps: [step('a'), step('b', { when: 'steps.a.image == null' })] }));
    expect(planStep(template, 'b', scope({}, { steps: { a: null } })).value).toEqual({ items: [{}] });
    expect(planStep(template, 'b', scope({}, { steps: { a: { image: [media('/1.png')] } } })).value).toHaveProperty('skip');
  });

  it.each([
    ['params.wdith > 1', 'TEMPLATE_REFERENCE_UNKNOWN', 'Did you mean params.width?'],
    ['steps.q.image == null', 'TEMPLATE_REFERENCE_UNKNOWN', 'Steps of this template: a.'],
    ['width > 1', 'TEMPLATE_CONDITION_INVALID', 'Parameters are written params.width.'],
    ['params.width >', 'TEMPLATE_CONDITION_INVALID', 'Write a CEL condition'],
    ['params.width + 1', 'TEMPLATE_CONDITION_INVALID', 'Write a CEL condition'],
    ['1', 'TEMPLATE_CONDITION_INVALID', 'Write a CEL condition'],
    ['backend.colour == "red"', 'TEMPLATE_REFERENCE_UNKNOWN', 'There are backend.id and backend.kind.'],
  ])('[TS5] refuses %j', (when, code, hint) => {
    const found = compile(condition(when, { width: { type: 'integer', default: 1 } })).problems.filter(
      (problem) => problem.severity === 'error',
    );
    expect(found).toEqual([expect.objectContaining({ code, step: 'a', hint: expect.stringContaining(hint), pointer: '/steps/0/when' })]);
  });

  it.each([
    'params.p.matches("(a+)+$")',
    `${'true && '.repeat(300)}true`,
    `params.p == "${'x'.repeat(2000)}"`,
    'params.l.all(a, params.l.all(b, params.l.all(c, a == c)))',
  ])('[TS6] refuses a condition past the caps: %.40s', (when) => {
    const parameters = { p: { type: 'text', default: '' }, l: { type: 'list', of: 'text', default: [] } };
    const found = compile(condition(when, parameters)).problems.filter((problem) => problem.severity === 'error');
    expect(codes(found).every((code) => code === 'TEMPLATE_CONDITION_INVALID' || code === 'TEMPLATE_FIELD_INVALID')).toBe(true);
    expect(found).toHaveLength(1);
  });

  it('[TS7] runs once for every item of a list, and not at all for an empty one', () => {
    const template = compiled(
      manifest({ parameters: { l: { type: 'list', of: 'text', default: [] } } }, { each: '{l}', set: { '6.text': '{each}' } }),
    );
    expect(planStep(template, 'a', scope({ l: ['x', 'y'] })).value).toEqual({ items: [{ each: 'x' }, { each: 'y' }] });
    expect(planStep(template, 'a', scope({ l: [] })).value).toEqual({ items: [] });
  });

  it('[TS7] maps over the files of another step', () => {
    const template = compiled(manifest({ steps: [step('a'), step('b', { each: '{steps.a.image}', set: { '10.image': '{each}' } })] }));
    const [one, two] = [media('/1.png'), media('/2.png')];
    expect(planStep(template, 'b', scope({}, { steps: { a: { image: [one] } } })).value).toEqual({ items: [{ each: one }] });
    expect(planStep(template, 'b', scope({}, { steps: { a: { image: [one, two] } } })).value).toEqual({
      items: [{ each: one }, { each: two }],
    });
    expect(planStep(template, 'b', scope({}, { steps: { a: null } })).value).toEqual({ skip: 'step "a" was skipped' });
  });

  it.each([
    ['{p}', 'TEMPLATE_EACH_INVALID'],
    ['all of {l}', 'TEMPLATE_REFERENCE_INVALID'],
    ['{nothing}', 'TEMPLATE_REFERENCE_UNKNOWN'],
  ])('[TS7] refuses %j as a list', (each, code) => {
    const parameters = { p: { type: 'text', default: '' }, l: { type: 'list', of: 'text', default: [] } };
    const { problems } = compile(manifest({ parameters }, { each, set: { '6.text': '{p} {l[0]}' } }));
    expect(codes(problems)).toEqual([code]);
  });

  it('[TS8] names outputs by id, by title, or all of them', () => {
    expect(compiled(manifest({}, { outputs: { x: '9', y: 'title:Save' } })).steps[0]?.outputs).toEqual({ x: '9', y: '9' });
    expect(render(compiled(manifest({}, { outputs: { x: '9', y: '3' } })), scope()).value?.outputNodes).toEqual(['9', '3']);
    expect(render(compiled(manifest({}, { outputs: { x: '9', y: '*' } })), scope()).value).toMatchObject({
      outputNodes: [],
      outputs: { x: '9', y: '*' },
    });
  });

  it.each(['90', 'title:Sav', 'SaveImage'])('[TS8] refuses the output node %j', (node) => {
    const { problems } = compile(manifest({}, { outputs: { x: node } }));
    expect(problems).toEqual([expect.objectContaining({ code: 'TEMPLATE_NODE_UNKNOWN', step: 'a', pointer: '/steps/0/outputs/x' })]);
  });

  it('[TS9] reports a dangling link of the workflow with its place', () => {
    const { value, problems } = compile(manifest(), {
      'w.json': { ...GRAPH, '9': { class_type: 'SaveImage', inputs: { images: ['77', 0] } } },
    });
    expect(value).toBeUndefined();
    expect(problems).toEqual([
      expect.objectContaining({
        code: 'GRAPH_LINK_DANGLING',
        file: 'w.json',
        node: '9',
        input: 'images',
        step: 'a',
        line: expect.any(Number),
      }),
    ]);
  });

  it('[TS9] says how to export a workflow in UI format', () => {
    const { problems } = compile(manifest(), { 'w.json': { nodes: [], links: [], version: 0.4 } });
    expect(problems).toEqual([
      expect.objectContaining({ code: 'TEMPLATE_WORKFLOW_UI_FORMAT', hint: expect.stringContaining('Export (API)') }),
    ]);
  });

  it('[TS9] says which kind of workflow the step expects', () => {
    expect(codes(compile(manifest({}, { backend: 'wan2gp', outputs: {} })).problems)).toEqual(['TEMPLATE_WORKFLOW_FORMAT']);
    expect(codes(compile(manifest({}, { outputs: {} }), { 'w.json': { model_type: 't2v' } }).problems)).toEqual(['GRAPH_NOT_API']);
  });

  it('[TS9] reports a workflow that several steps use once', () => {
    const { problems } = compile(manifest({ steps: [step('a'), step('b')] }), { 'w.json': '{' });
    expect(codes(problems)).toEqual(['JSON_SYNTAX']);
  });

  const lowered = (set: object, more: object = {}, parameters: object = {}) =>
    compile(manifest({ parameters }, { lowMemory: { set }, ...more }));
  const inputsOf = (text: string | undefined) =>
    JSON.parse(text ?? '{}') as Readonly<Record<string, { readonly inputs: Readonly<Record<string, unknown>> }>>;

  it('[TS10] sets what lowMemory names over set and over the workflow, and leaves everything else', () => {
    const parameters = {
      size: { type: 'integer', default: 1024 },
      seed: { type: 'seed', default: 9 },
      small: { type: 'integer', default: 256 },
    };
    const template = compiled(
      manifest(
        { parameters },
        {
          set: { '5.width': '{size}', '5.height': '{size}', '3.seed': '{seed}' },
          lowMemory: { set: { '5.width': '{small}', '3.steps': 8 } },
        },
      ),
    );
    const values = { size: 1024, seed: 9n, small: 256 };
    const tools = { mediaName: () => '' };
    const usual = inputsOf(renderStep(template, 'a', scope(values), tools).value?.text);
    const low = inputsOf(renderStep(template, 'a', scope(values), { ...tools, profile: 'low' }).value?.text);
    expect(usual['5']?.inputs).toMatchObject({ width: 1024, height: 1024 });
    expect(low['5']?.inputs).toMatchObject({ width: 256, height: 1024 });
    expect(low['3']?.inputs).toEqual({ ...usual['3']?.inputs, steps: 8 });
    expect({ ...low, '3': 0, '5': 0 }).toEqual({ ...usual, '3': 0, '5': 0 });
  });

  it.each([
    [{}, {}, true],
    [{ optimize: true }, { optimize: true }, true],
    [{}, { optimize: false }, false],
    [{ optimize: false }, {}, false],
    [{ optimize: false }, { optimize: true }, false],
  ])('[TS11] with %j in the manifest and %j in the step, optimising is %j', (changes, more, expected) => {
    expect(compiled(manifest(changes, more)).steps[0]?.optimize).toBe(expected);
  });

  it('[TS11] refuses anything but true and false', () => {
    expect(codes(compile(manifest({ optimize: 'no' }, { optimize: 0 })).problems)).toHaveLength(2);
  });

  it('[TS10] renders a step without lowMemory as ever', () => {
    const template = compiled(manifest());
    const tools = { mediaName: () => '' };
    expect(renderStep(template, 'a', scope(), { ...tools, profile: 'low' })).toEqual(renderStep(template, 'a', scope(), tools));
  });

  it.each([
    ['3.seed', 5, {}],
    ['3.steps', '{s}', {}],
    ['3.steps', 5, { set: { '3.steps': '{s}' } }],
  ])('[TS10] refuses to write the seed (%s)', (address, value, more) => {
    const { value: template, problems } = lowered({ [address]: value }, more, { s: { type: 'seed' } });
    const pointer = `/steps/0/lowMemory/set/${address}`;
    expect(template).toBeUndefined();
    expect(problems.filter(({ severity }) => severity === 'error')).toEqual([
      expect.objectContaining({ code: 'TEMPLATE_LOWER_SEED', step: 'a', node: '3', line: expect.any(Number), pointer }),
    ]);
  });

  it.each([
    ['77.width', 'TEMPLATE_NODE_UNKNOWN'],
    ['width', 'TEMPLATE_SET_ADDRESS'],
    ['3.model', 'TEMPLATE_SET_REPLACES_LINK'],
  ])('[TS10] checks the address %j like one of set', (address, code) => {
    expect(lowered({ [address]: 5 }).problems).toEqual([
      expect.objectContaining({ code, pointer: `/steps/0/lowMemory/set/${address}`, line: expect.any(Number) }),
    ]);
  });

  it('[TS10] takes references in lowMemory for uses and needs', () => {
    const parameters = { small: { type: 'integer', default: 256 } };
    expect(lowered({ '5.width': '{small}' }, {}, parameters).problems).toEqual([]);
    expect(codes(lowered({ '5.width': '{smal}' }, {}, parameters).problems)).toContain('TEMPLATE_REFERENCE_UNKNOWN');
  });

  it.each([[{}], [{ set: {} }], [{ set: { '5.width': 1 }, parameters: {} }]])('[TS10] refuses %j', (lowMemory) => {
    expect(compile(manifest({}, { lowMemory })).value).toBeUndefined();
  });
});
