/** Widget values: which saved value belongs to which input. */
import { describe, expect, it } from 'vitest';
import { convert, node, workflow } from './support.ts';

const LOAD = { id: 1, type: 'Load', out: ['MODEL', 'CLIP'], values: ['b.safetensors'] };
const sample = (values: unknown, more: object = {}) =>
  convert(workflow([LOAD, { id: 2, type: 'Sample', in: [['model', 'MODEL', 5]], out: ['LATENT'], values, more }], [[5, 1, 0, 2, 0]]));

describe('widget values', () => {
  it('skips the slot of control_after_generate', () => {
    expect(sample([12, 'randomize', 30, 'slow']).nodes?.['2']).toEqual({ seed: 12, steps: 30, mode: 'slow', model: ['1', 0] });
  });

  it('keeps integers beyond 2^53 digit for digit and the spelling of floats', () => {
    const text = JSON.stringify(
      workflow([
        { id: 1, type: 'Number', values: ['BIG'] },
        { id: 2, type: 'Tune', values: ['FLOAT'] },
      ]),
    );
    const converted = convert(text.replace('"BIG"', '18446744073709551615').replace('"FLOAT"', '8.50'));
    expect(converted.text).toContain('"value": 18446744073709551615');
    expect(converted.text).toContain('"strength": 8.50');
  });

  it('takes the defaults of the class where values are missing', () => {
    expect(sample([12]).nodes?.['2']).toMatchObject({ seed: 12, steps: 20, mode: 'fast' });
    expect(sample(undefined).nodes?.['2']).toMatchObject({ seed: 0, steps: 20, mode: 'fast' });
  });

  it('takes object-valued widgets_values by name', () => {
    expect(sample({ steps: 3, seed: 1, videopreview: {} }).nodes?.['2']).toEqual({ seed: 1, steps: 3, mode: 'fast', model: ['1', 0] });
  });

  it('keeps what a pack saved by name beyond its class, but for previews and buttons', () => {
    const saved = { steps: 3, crf: 19, pix_fmt: 'yuv420p', 'choose video to upload': 'image', videopreview: {} };
    expect(sample(saved).nodes?.['2']).toEqual({ seed: 0, steps: 3, mode: 'fast', crf: 19, pix_fmt: 'yuv420p', model: ['1', 0] });
  });

  it('gives each LoRA of a Power Lora Loader its input', () => {
    const lora = { on: true, lora: 'x.safetensors', strength: 0.5, strengthTwo: null };
    const ui = workflow(
      [
        LOAD,
        {
          id: 2,
          type: 'Power Lora Loader (rgthree)',
          in: [['model', 'MODEL', 5]],
          out: ['MODEL'],
          values: [{}, { type: 'Header' }, lora, {}, ''],
        },
      ],
      [[5, 1, 0, 2, 0]],
    );
    expect(convert(ui).nodes?.['2']).toEqual({ model: ['1', 0], lora_1: lora });
  });

  it('takes widgets_values_named where there is no list, and warns where the two differ', () => {
    expect(sample(undefined, { widgets_values_named: { seed: 4, steps: 5 } }).nodes?.['2']).toMatchObject({ seed: 4, steps: 5 });
    const both = sample([1, 'fixed', 2, 'slow'], { widgets_values_named: { seed: 1, steps: 5 } });
    expect(both.nodes?.['2']).toMatchObject({ steps: 2 });
    expect(both.problems).toMatchObject([{ code: 'CONVERT_WIDGETS_DISAGREE', severity: 'warning', node: '2' }]);
  });

  it('passes over the value that an upload button saves', () => {
    expect(convert(workflow([{ id: 1, type: 'Picture', values: ['x.png', 'image', 16] }])).nodes?.['1']).toEqual({
      image: 'x.png',
      depth: 16,
    });
  });

  it('drops the dummy values of forced inputs in files from before front end 1.16', () => {
    expect(convert(workflow([{ id: 1, type: 'Forced', values: ['', 33] }])).nodes?.['1']).toEqual({ steps: 33 });
    expect(convert(workflow([{ id: 1, type: 'Forced', values: [33] }])).nodes?.['1']).toEqual({ steps: 33 });
  });

  it('lays out the inputs of the option that a dynamic combo has chosen, with dotted names', () => {
    const resize = (values: unknown) => convert(workflow([{ id: 1, type: 'Resize', values }])).nodes?.['1'];
    expect(resize(['size', 640, 480, 'lanczos'])).toEqual({ by: 'size', 'by.width': 640, 'by.height': 480, method: 'lanczos' });
    expect(resize(['scale', 2, 'lanczos'])).toEqual({ by: 'scale', 'by.by': 2, method: 'lanczos' });
  });

  it('keeps the links of inputs that grow', () => {
    const inputs = [
      ['images.image0', 'IMAGE', 3],
      ['images.image1', 'IMAGE', 4],
      ['images.image2', 'IMAGE', null],
    ] as const;
    const ui = workflow(
      [
        { id: 1, type: 'Picture', out: ['IMAGE'] },
        { id: 2, type: 'Batch', in: inputs, out: ['IMAGE'] },
      ],
      [
        [3, 1, 0, 2, 0],
        [4, 1, 0, 2, 1],
      ],
    );
    expect(convert(ui).nodes?.['2']).toEqual({ 'images.image0': ['1', 0], 'images.image1': ['1', 0] });
  });

  it('wraps a list, which a server would take for a link', () => {
    expect(convert(workflow([{ id: 1, type: 'Colours', values: [['1', 0]] }])).nodes?.['1']).toEqual({ list: { __value__: ['1', 0] } });
  });

  it('lets a link win over the value of the widget it was converted from', () => {
    const ui = workflow(
      [
        { id: 1, type: 'Number', out: ['INT'], values: [9] },
        { id: 2, type: 'Sample', in: [['steps', 'INT', 3, true]], values: [1, 'fixed', 2, 'slow'] },
      ],
      [[3, 1, 0, 2, 4]],
    );
    expect(convert(ui).nodes?.['2']).toEqual({ seed: 1, steps: ['1', 0], mode: 'slow' });
  });

  it('copies the value of a primitive into every widget it is linked to', () => {
    const ui = workflow(
      [
        { id: 1, type: 'PrimitiveNode', out: ['INT'], values: [44, 'fixed'] },
        { id: 2, type: 'Sample', in: [['seed', 'INT', 3, true]], values: [1, 'fixed', 2, 'slow'] },
        { id: 4, type: 'Number', in: [['value', 'INT', 5, true]], values: [1] },
      ],
      [
        [3, 1, 0, 2, 1],
        [5, 1, 0, 4, 0],
      ],
    );
    expect(convert(ui).nodes).toEqual({ '2': { seed: 44, steps: 2, mode: 'slow' }, '4': { value: 44 } });
  });

  it('leaves dynamic prompts and %date% as they are and warns', () => {
    const ui = workflow([
      { id: 1, type: 'Text', values: ['a {red|blue} cat // or dog'] },
      { id: 3, type: 'Save', values: ['%date:yyyy-MM-dd%/x'] },
    ]);
    const { nodes, problems } = convert(ui);
    expect(nodes).toEqual({ '1': { text: 'a {red|blue} cat // or dog' }, '3': { filename_prefix: '%date:yyyy-MM-dd%/x' } });
    expect(problems).toMatchObject([
      { code: 'CONVERT_DYNAMIC_PROMPT', node: '1', input: 'text' },
      { code: 'CONVERT_TEXT_REPLACEMENT', node: '3', input: 'filename_prefix' },
    ]);
  });

  it('takes comments and escapes out of prompts as the page does', () => {
    const text = (value: string) => convert(workflow([{ id: 1, type: 'Text', values: [value] }])).nodes?.['1']?.['text'];
    expect(text('a cat // not a dog\nby /* whom */ me')).toBe('a cat \nby  me');
    expect(text('a \\{b\\} (c\\)')).toBe('a {b} (c\\)');
    expect(text('plain (text:1.2)')).toBe('plain (text:1.2)');
  });

  it('leaves a widget its own value where a primitive comes through a reroute, which the page does not look through', () => {
    const ui = workflow(
      [
        { id: 1, type: 'PrimitiveNode', out: ['INT'], values: [44, 'fixed'] },
        { id: 2, type: 'Reroute', in: [['', '*', 3]], out: ['*'] },
        { id: 4, type: 'Number', in: [['value', 'INT', 5, true]], values: [1] },
      ],
      [
        [3, 1, 0, 2, 0],
        [5, 2, 0, 4, 0],
      ],
    );
    expect(convert(ui).nodes).toEqual({ '4': { value: 1 } });
  });

  it('knows the toggle and the button behind a combo whose choices the page fetches', () => {
    expect(convert(workflow([{ id: 1, type: 'Remote', values: ['voice', true, 'refresh', 5] }])).nodes?.['1']).toEqual({
      name: 'voice',
      refresh: 'refresh',
      count: 5,
    });
  });

  it('begins a combo of several choices with none', () => {
    expect(convert(workflow([{ id: 1, type: 'Several' }])).nodes?.['1']).toEqual({ tags: { __value__: [] } });
    expect(convert(workflow([{ id: 1, type: 'Several', values: [['b']] }])).nodes?.['1']).toEqual({ tags: { __value__: ['b'] } });
  });

  it('sees no upload button behind an optional input', () => {
    expect(convert(workflow([{ id: 1, type: 'Sketch', values: ['x.png', 3] }])).nodes?.['1']).toEqual({ image: 'x.png', depth: 3 });
  });

  it('leaves placeholders of templates in texts alone', () => {
    expect(convert(workflow([{ id: 1, type: 'Text', values: ['a {style} cat of {prompt}'] }]))).toMatchObject({
      nodes: { '1': { text: 'a {style} cat of {prompt}' } },
      codes: [],
    });
  });

  it('names values that do not fit their widgets: a warning, and an error where the graph will be run', () => {
    const ui = workflow([{ id: 2, type: 'Sample', values: [256, 'fixed', 'euler', 'slow'] }]);
    expect(convert(ui).problems).toMatchObject([{ code: 'CONVERT_WIDGETS_MISFIT', severity: 'warning', node: '2', input: 'steps' }]);
    expect(convert(ui, { strict: true })).toMatchObject({ nodes: undefined, codes: ['CONVERT_WIDGETS_MISFIT'] });
  });

  it('does not take a placeholder in a number for a misfit', () => {
    const ui = workflow([{ id: 2, type: 'Sample', values: ['{seed}', 'fixed', '{steps}', 'slow'] }]);
    expect(convert(ui, { strict: true })).toMatchObject({ codes: [], nodes: { '2': { seed: '{seed}', steps: '{steps}' } } });
  });

  it('reads a file whose links and ids are texts', () => {
    const ui = {
      nodes: [node({ ...LOAD, id: 'one' }), node({ id: 'two', type: 'Tune', in: [['model', 'MODEL', 5]], values: [1] })],
      links: [['5', 'one', '0', 'two', '0', 'MODEL']],
    };
    expect(convert(ui).nodes?.['two']).toEqual({ model: ['one', 0], strength: 1 });
  });
});
