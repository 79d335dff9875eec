/** Templates of the tests: a picture that needs no model, and one whose every name is an attack. */

export const ATTACK = '<img src=x onerror="document.title=1">';

const picture = {
  '1': { class_type: 'EmptyImage', inputs: { width: 64, height: 64, batch_size: 1, color: 1 }, _meta: { title: 'Ground' } },
  '2': { class_type: 'ImageInvert', inputs: { image: ['1', 0] }, _meta: { title: 'Inverted' } },
  '3': { class_type: 'SaveImage', inputs: { images: ['2', 0], filename_prefix: 'plain' }, _meta: { title: 'Save' } },
};

export const PLAIN = {
  'template.json': {
    format: 1,
    id: 'plain-picture',
    version: '1.0.0',
    title: 'Plain picture',
    category: 'test',
    parameters: {
      shade: { type: 'integer', title: 'Shade', minimum: 0, maximum: 16_777_215, default: 8_421_504 },
      size: { type: 'integer', title: 'Size', minimum: 16, maximum: 256, default: 64 },
      notes: { type: 'boolean', title: 'With notes', default: false },
      note: { type: 'string', title: 'Note', default: '', visible: 'params.notes' },
    },
    steps: [
      {
        id: 'draw',
        title: 'Draw',
        workflow: 'draw.json',
        set: { '1.color': '{shade}', '1.width': '{size}', '1.height': '{size}' },
        outputs: { picture: '3' },
      },
    ],
    outputs: { picture: { from: '{steps.draw.picture}' } },
  },
  'draw.json': picture,
};

/** The same with a node that the optimiser takes out, because nobody looks at it. */
export const WITH_PREVIEW = {
  'template.json': { ...PLAIN['template.json'], id: 'with-preview' },
  'draw.json': { ...picture, '4': { class_type: 'PreviewImage', inputs: { images: ['2', 0] }, _meta: { title: 'Look' } } },
};

export const HOSTILE = {
  'template.json': {
    format: 1,
    id: 'hostile',
    version: '1.0.0',
    title: ATTACK,
    description: ATTACK,
    category: ATTACK,
    parameters: {
      text: { type: 'string', title: ATTACK, description: ATTACK, default: ATTACK },
      menu: { type: 'choice', title: 'Menu', choices: [{ value: 'a', title: ATTACK }, 'b'], default: 'a', group: ATTACK },
    },
    steps: [{ id: 'draw', title: ATTACK, workflow: 'draw.json', outputs: { picture: '3' } }],
    outputs: { picture: { from: '{steps.draw.picture}', asset: { kind: 'image', name: '{text|slug}' } } },
  },
  'draw.json': {
    ...picture,
    '2': { class_type: 'ImageInvert', inputs: { image: ['1', 0] }, _meta: { title: ATTACK } },
  },
};
