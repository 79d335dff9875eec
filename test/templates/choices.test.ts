import { describe, expect, it } from 'vitest';
import { waitingOrder } from '#templates/order.ts';
import { planStep } from '#templates/render.ts';
import { codes, compile, compiled, manifest, media, rendered, scope } from './support.ts';

const step = (id: string, more: object = {}): object => ({ id, workflow: 'w.json', outputs: { image: '9' }, ...more });
const base = step('base', { each: '{angles}' });
const face = (image = '{choices.best}', more: object = {}) => step('face', { set: { '10.image': image }, ...more });
const withChoice = (choice: object = {}, steps: readonly object[] = [base, face()], more: object = {}): object =>
  manifest({
    parameters: { angles: { type: 'list', of: 'text', default: [] }, mood: { type: 'text', default: '' } },
    choices: [{ after: 'base', from: '{steps.base.image}', into: 'best', ...choice }],
    steps,
    outputs: { angles: { from: '{angles}' }, mood: { from: '{mood}' } },
    ...more,
  });
const ofChoice = (choice: object, steps?: readonly object[], more?: object) => compile(withChoice(choice, steps, more)).problems;

describe('choices', () => {
  it('[TC1] let what refers to them wait, in order, and nothing else', () => {
    const template = compiled(
      withChoice({}, [face(), step('when', { when: 'choices.best != null' }), step('free'), step('direct', { needs: ['base'] }), base]),
    );
    expect(waitingOrder(template)).toEqual([
      { id: 'base', needs: [] },
      { id: 'choices.best', needs: ['base'] },
      { id: 'face', needs: ['choices.best'] },
      { id: 'when', needs: ['choices.best'] },
      { id: 'free', needs: [] },
      { id: 'direct', needs: ['base'] },
    ]);
    expect(template.steps.find(({ id }) => id === 'face')?.needs).toEqual(['base']);
  });

  it('[TC1] draw from earlier choices, and wait for all that these wait for', () => {
    const second = { after: 'free', from: '{choices.best}', into: 'final' };
    const template = compiled(
      withChoice({}, [base, step('free'), face('{choices.final}')], {
        choices: [{ after: 'base', from: '{steps.base.image}', pick: 3, into: 'best' }, second],
      }),
    );
    expect(waitingOrder(template).map(({ id }) => id)).toEqual(['base', 'free', 'choices.best', 'choices.final', 'face']);
    expect(template.steps.find(({ id }) => id === 'face')?.needs).toEqual(['base', 'free']);
  });

  it('[TC1] cannot wait for what waits for them', () => {
    expect(ofChoice({ from: '{steps.face.image}' })).toMatchObject([{ code: 'TEMPLATE_STEP_CYCLE', message: 'Step "face" needs itself.' }]);
  });

  it.each([
    ['nothing', undefined, 'one'],
    ['1', 1, 'one'],
    ['2', 2, 'list'],
    ['a range', { min: 1, max: 1 }, 'list'],
    ['an open range', {}, 'list'],
  ] as const)('[TC2] are one value or a list as "pick" says: %s', (_, pick, kind) => {
    const choice = pick === undefined ? {} : { pick };
    const prefix = [base, face('in.png', { set: { '9.filename_prefix': 'a {choices.best}' } })];
    const each = [base, step('face', { each: '{choices.best}', set: { '10.image': '{each}' } })];
    const item = [base, face('{choices.best[0]}')];
    expect(codes(ofChoice(choice, prefix))).toEqual(kind === 'list' ? ['TEMPLATE_REFERENCE_LIST'] : []);
    expect(codes(ofChoice(choice, each))).toEqual(kind === 'one' ? ['TEMPLATE_EACH_INVALID'] : []);
    expect(codes(ofChoice(choice, item))).toEqual(kind === 'one' ? ['TEMPLATE_REFERENCE_LIST'] : []);
  });

  it('[TC2] of texts are texts: no file may be expected of them', () => {
    const template = compiled(withChoice({ from: '{angles}' }, [base, face('in.png', { set: { '6.text': '{choices.best} view' } })]));
    expect(template.choices[0]?.kind).toEqual({ type: 'text', list: 'no' });
    expect(rendered(template, scope({}, { choices: { best: 'side' } }), 'face')['6']?.inputs['text']).toBe('side view');
  });

  it.each([
    ['one value', { from: '{steps.base.image[0]}' }, /one value/],
    ['one of two alternatives is one value', { from: '{steps.base.image ?? mood}' }, /one value/],
    ['a filter', { from: '{steps.free.image|basename}' }, /filter/],
    ['itself', { from: '{choices.best}' }, /not made before it/],
    ['bounds without room', { pick: { min: 3, max: 2 } }, /at least 3 and at most 2/],
    ['a policy without a time', { onTimeout: 'wait' }, /waits for ever/],
  ])('[TC3] are refused with their place: %s', (_, choice, message) => {
    const problems = ofChoice(choice, [base, step('free'), face('{choices.best ?? steps.free.image}')]).filter(
      ({ code }) => code !== 'TEMPLATE_REFERENCE_LIST',
    );
    expect(problems).toEqual([
      expect.objectContaining({
        code: 'TEMPLATE_CHOICE_INVALID',
        severity: 'error',
        message: expect.stringMatching(message),
        line: expect.any(Number),
      }),
    ]);
  });

  it('[TC3] that stand later are refused, as are a step and a name that do not fit', () => {
    const choices = [
      { after: 'base', from: '{choices.second}', into: 'best' },
      { after: 'bse', from: '{steps.base.image}', into: 'second' },
      { after: 'base', from: '{steps.base.image}', into: 'second' },
    ];
    const { problems } = compile(withChoice({}, [base, face('{choices.best ?? choices.second}')], { choices }));
    expect(codes(problems)).toEqual(['TEMPLATE_CHOICE_INVALID', 'TEMPLATE_STEP_UNKNOWN', 'TEMPLATE_NAME_TWICE']);
  });

  it.each([{ timeout: 0 }, { timeout: 2_000_001 }, { pick: 0 }, { pick: { most: 2 } }, { onTimeout: 'ask', timeout: 1 }, { into: 'a.b' }])(
    '[TC3] have fields of the manifest schema: %j',
    (choice) => {
      const problems = ofChoice(choice, [base, face('in.png')]);
      expect(problems.filter(({ code }) => code.startsWith('TEMPLATE_FIELD') || code === 'TEMPLATE_NAME_INVALID')).toHaveLength(1);
    },
  );

  it('[TC3] that are broken are not called unknown where they are used', () => {
    const choices = [{ after: 'base', into: 'best' }];
    expect(codes(compile(withChoice({}, [base, face()], { choices })).problems)).toEqual(['TEMPLATE_FIELD_MISSING']);
  });

  it('[TC3] that nothing uses are a warning, and an output of the template is a use', () => {
    const unused = [base, face('in.png')];
    expect(ofChoice({}, unused)).toMatchObject([{ code: 'TEMPLATE_CHOICE_UNUSED', severity: 'warning' }]);
    expect(
      ofChoice({}, unused, { outputs: { best: { from: '{choices.best}' }, angles: { from: '{angles}' }, mood: { from: '{mood}' } } }),
    ).toEqual([]);
  });

  it('[TC5] that were skipped are null: skipped too is what refers to them, unless it falls back', () => {
    const skipped = scope({ angles: [], mood: '' }, { steps: { base: null }, choices: { best: null } });
    const plain = compiled(withChoice());
    expect(planStep(plain, 'face', skipped).value).toEqual({ skip: 'the choice "best" was left out' });
    const falling = compiled(withChoice({}, [base, step('spare'), face('{choices.best ?? steps.spare.image}')]));
    const spare = { ...skipped, steps: { base: null, spare: { image: [media('/spare.png')] } } };
    expect(rendered(falling, spare, 'face')['10']?.inputs['image']).toBe('uploaded/spare.png');
  });

  it('[TC1] can be asked for in conditions, file and list alike', () => {
    const when = (condition: string, pick: object | number, best: Parameters<typeof scope>[1]) =>
      planStep(compiled(withChoice({ pick }, [base, step('face', { when: condition })])), 'face', scope({ angles: [], mood: '' }, best))
        .value;
    expect(when('choices.best.name.endsWith(".png")', 1, { choices: { best: media('/a.png') } })).toEqual({ items: [{}] });
    expect(when('size(choices.best) > 1', 2, { choices: { best: [media('/a.png'), media('/b.png')] } })).toEqual({ items: [{}] });
    expect(when('choices.best != null', 1, { choices: { best: null } })).toHaveProperty('skip');
  });

  it('[TC2] with several files are refused where one belongs', () => {
    expect(ofChoice({ pick: 2 })).toMatchObject([{ code: 'TEMPLATE_REFERENCE_LIST', step: 'face', node: '10' }]);
  });
});
