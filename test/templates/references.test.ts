import { describe, expect, it } from 'vitest';
import { planStep, renderOutputs } from '#templates/render.ts';
import { codes, compile, compiled, GRAPH, manifest, media, render, rendered, scope } from './support.ts';

const [one, two] = [media('/o/1.png'), media('/o/2.png')];

/** Step `a` gives `image`, step `b` uses it by `reference`. */
function chain(reference: string, more: { first?: object; second?: object; top?: object } = {}) {
  const steps = [
    { id: 'a', workflow: 'w.json', outputs: { image: '9' }, ...more.first },
    { id: 'b', workflow: 'w.json', set: { '10.image': reference }, outputs: { image: '9' }, ...more.second },
  ];
  return manifest({ steps, ...more.top });
}

describe('references', () => {
  it('[TR1] takes the file of another step', () => {
    const template = compiled(chain('{steps.a.image}'));
    expect(rendered(template, scope({}, { steps: { a: { image: [one] } } }), 'b')['10']?.inputs.image).toBe('uploaded/1.png');
  });

  it.each([
    ['{steps.q.image}', 'Steps of this template: a, b.'],
    ['{steps.a.imag}', 'Did you mean {steps.a.image}?'],
    ['{steps.a}', 'Write {steps.a.OUTPUT}. Outputs of "a": image.'],
    ['x {choices.picked}', 'Declare it under "choices" with "into".'],
    ['{each}', 'Add "each": "{a_list}" to the step, or name the value itself.'],
    ['{index}', 'Add "each" to the step, or remove {index}.'],
  ])('[TR1] refuses %j and says what to do', (reference, hint) => {
    const { value, problems } = compile(chain(reference));
    expect(value).toBeUndefined();
    expect(problems).toEqual([expect.objectContaining({ code: 'TEMPLATE_REFERENCE_UNKNOWN', severity: 'error', step: 'b', hint })]);
  });

  it('[TR1] gives a step with `each` its item and its number', () => {
    const parameters = { angles: { type: 'list', of: 'text', default: [] } };
    const template = compiled(manifest({ parameters }, { each: '{angles}', set: { '6.text': '{index}: {each}' } }));
    expect(rendered(template, scope({ angles: ['x', 'y'] }, { each: 'y', index: 1 }))['6']?.inputs.text).toBe('1: y');
  });

  it('[TR2] takes one item of a list, counted from 0', () => {
    const template = compiled(chain('{steps.a.image[1]}'));
    expect(rendered(template, scope({}, { steps: { a: { image: [one, two] } } }), 'b')['10']?.inputs.image).toBe('uploaded/2.png');
    const { problems } = planStep(template, 'b', scope({}, { steps: { a: { image: [one] } } }));
    expect(codes(problems)).toEqual(['STEP_REFERENCE_MISSING']);
  });

  it('[TR2] refuses to take one item out of a single value', () => {
    const { problems } = compile(manifest({ parameters: { p: { type: 'text', default: '' } } }, { set: { '6.text': '{p[0]}' } }));
    expect(codes(problems)).toEqual(['TEMPLATE_REFERENCE_LIST']);
  });

  it('[TR2] takes components of vectors and items of list parameters', () => {
    const parameters = { size: { type: 'vector', size: 2 }, names: { type: 'list', of: 'text' } };
    const template = compiled(manifest({ parameters }, { set: { '5.width': '{size[0]}', '6.text': 'a {names[1]}' } }));
    const graph = rendered(template, scope({ size: [640, 480], names: ['x', 'y'] }));
    expect([graph['5']?.inputs.width, graph['6']?.inputs.text]).toEqual([640, 'a y']);
  });

  it('[TR3] takes the next alternative when one is null', () => {
    const parameters = { p: { type: 'text', default: null }, q: { type: 'text', default: '' } };
    const template = compiled(manifest({ parameters }, { set: { '6.text': '{p ?? q|slug}' } }));
    expect(rendered(template, scope({ p: null, q: 'B b' }))['6']?.inputs.text).toBe('b-b');
    expect(rendered(template, scope({ p: 'A', q: 'B' }))['6']?.inputs.text).toBe('a');
  });

  it('[TR4] is a list where a node gave several files, which one input cannot take', () => {
    const template = compiled(chain('{steps.a.image}'));
    const { value, problems } = render(template, scope({}, { steps: { a: { image: [one, two] } } }), 'b');
    expect(value).toBeUndefined();
    expect(problems).toEqual([expect.objectContaining({ code: 'STEP_VALUE_LIST', step: 'b', node: '10', input: 'image' })]);
  });

  it('[TR4] is a list where the step fans out, known before any run', () => {
    const top = { parameters: { l: { type: 'list', of: 'text', default: [] } } };
    expect(codes(compile(chain('{steps.a.image}', { first: { each: '{l}' }, top })).problems)).toEqual(['TEMPLATE_REFERENCE_LIST']);
    expect(codes(compile(chain('{steps.a.image[0]}', { first: { each: '{l}' }, top })).problems)).toEqual([]);
  });

  it('[TR5] skips a step that refers to a skipped one, with the reason', () => {
    const template = compiled(chain('{steps.a.image}'));
    expect(planStep(template, 'b', scope({}, { steps: { a: null } })).value).toEqual({ skip: 'step "a" was skipped' });
  });

  it('[TR5] runs a step that has something to fall back on', () => {
    const template = compiled(chain('{steps.a.image ?? own}', { top: { parameters: { own: { type: 'image', default: null } } } }));
    const at = scope({ own: two }, { steps: { a: null } });
    expect(planStep(template, 'b', at).value).toEqual({ items: [{}] });
    expect(rendered(template, at, 'b')['10']?.inputs.image).toBe('uploaded/2.png');
  });

  it('[TR6] names what a run is for', () => {
    const outputs = {
      stills: { from: '{steps.a.image}', asset: { kind: 'image', name: '{prompt|slug}-{index|pad:3}' } },
      late: { from: '{steps.b.image}', asset: { kind: 'image' } },
    };
    const template = compiled(chain('{steps.a.image[0]}', { top: { outputs, parameters: { prompt: { type: 'text', default: '' } } } }));
    const { value } = renderOutputs(template, scope({ prompt: 'A cat' }, { steps: { a: { image: [one, two] } } }));
    expect(value).toMatchObject({
      stills: { values: [one, two], asset: { kind: 'image' } },
      late: { values: [], asset: { kind: 'image' } },
    });
    expect([0, 1].map((index) => value?.['stills']?.asset?.nameOf(index))).toEqual(['a-cat-000', 'a-cat-001']);
  });

  it('[TR6] refuses an output that is no placeholder', () => {
    const { problems } = compile(manifest({ outputs: { x: { from: 'steps.a.image' }, y: { from: '{steps.a.nothing}' } } }), {
      'w.json': GRAPH,
    });
    expect(codes(problems)).toEqual(['TEMPLATE_REFERENCE_INVALID', 'TEMPLATE_REFERENCE_UNKNOWN']);
  });
});
