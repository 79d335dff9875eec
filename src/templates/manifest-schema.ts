/** The JSON Schema of template.json, format 1: what ajv checks, what editors read (schemas/template-1.json) and what the docs describe. */
import { COLOR_SPACES, CONVERSIONS, FRAME_FORMATS, MATERIAL_MAPS } from '#protocol/assets.ts';
import { PARAMETER_TYPES, TIMEOUT_POLICIES, WIDGETS } from './types.ts';

export const ID_PATTERN = '^[a-z0-9][a-z0-9-]{0,63}$';
export const PARAMETER_NAME_PATTERN = '^[A-Za-z_][A-Za-z0-9_]{0,63}$';
export const STEP_ID_PATTERN = '^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$';
export const OUTPUT_NAME_PATTERN = '^[A-Za-z_][A-Za-z0-9_-]{0,63}$';

const text = (description: string, maxLength = 4000) => ({ type: 'string', maxLength, description });
const count = (description: string) => ({ type: 'integer', minimum: 0, maximum: 1_000_000, description });
const map = (names: string, values: object, maxProperties: number, description: string) => ({
  type: 'object',
  propertyNames: { pattern: names },
  additionalProperties: values,
  maxProperties,
  description,
});
const shape = (required: readonly string[], properties: Readonly<Record<string, object>>) => ({
  type: 'object',
  required,
  properties: { $comment: text('A remark for people; not read.'), ...properties },
  additionalProperties: false,
});

const parameter = shape(['type'], {
  type: { enum: PARAMETER_TYPES, description: 'Decides how the value is checked, injected and drawn in a form.' },
  title: text('Label in forms.', 200),
  description: text('Help text in forms.'),
  default: { description: 'Used when no value is given. null makes the parameter optional.' },
  required: { type: 'boolean', description: 'A value must be given even where a default stands.' },
  minimum: { type: 'number', description: 'Smallest number (integer, number, seed; each component of a vector).' },
  maximum: { type: 'number', description: 'Largest number.' },
  multipleOf: { type: 'number', exclusiveMinimum: 0, description: 'The number is a multiple of this.' },
  minLength: count('Fewest characters of a text.'),
  maxLength: count('Most characters of a text.'),
  pattern: text('RE2 expression that the whole of a string must match somewhere; anchor with ^ and $.', 1000),
  choices: {
    type: 'array',
    minItems: 1,
    maxItems: 1000,
    description: 'The values of a choice, with titles where the value itself is no good label.',
    items: {
      anyOf: [
        { type: 'string' },
        { type: 'number' },
        shape(['value'], { value: { type: ['string', 'number'] }, title: { type: 'string', maxLength: 200 } }),
      ],
    },
  },
  of: { enum: PARAMETER_TYPES.filter((type) => type !== 'list'), description: 'Type of the items of a list.' },
  minItems: count('Fewest items of a list.'),
  maxItems: { type: 'integer', minimum: 1, maximum: 10_000, description: 'Most items of a list (1000 when absent).' },
  size: { type: 'integer', minimum: 2, maximum: 16, description: 'Number of components of a vector (3 when absent).' },
  alpha: { type: 'boolean', description: 'The colour carries an alpha component.' },
  folder: text('Model folder of the backend, e.g. loras, checkpoints.', 200),
  weighted: { type: 'boolean', description: 'Names of models may carry strengths: name:0.8, or name:0.8:0.5 for model and CLIP.' },
  extensions: {
    type: 'array',
    maxItems: 100,
    items: { type: 'string', pattern: '^\\.?[A-Za-z0-9]{1,16}$' },
    description: 'File extensions that are taken, e.g. png.',
  },
  blender: text('Where the Blender add-on reads a default, e.g. active_image or scene.render.resolution_x.', 200),
  group: text('Heading under which forms show the parameter.', 200),
  advanced: { type: 'boolean', description: 'Hidden in forms until asked for.' },
  visible: text('CEL condition over params; while it is false the parameter is not shown and takes its default.', 2000),
  widget: { enum: [...new Set(Object.values(WIDGETS).flat())], description: 'Kind of control in forms, where a type has several.' },
  step: { type: 'number', exclusiveMinimum: 0, description: 'Increment of the control in forms; any value within the bounds is taken.' },
  unit: text('Shown behind the number in forms, e.g. px or s.', 20),
  order: {
    type: 'number',
    minimum: -1_000_000,
    maximum: 1_000_000,
    description: 'Place in forms, smaller first; those without one follow as written.',
  },
  origin: text('Where an adopted parameter comes from, for people.'),
});

const addresses = (description: string) => ({
  type: ['string', 'array'],
  minLength: 1,
  maxLength: 500,
  minItems: 1,
  maxItems: 200,
  items: { type: 'string', minLength: 1, maxLength: 500 },
  description,
});

const patch = shape([], {
  when: text('CEL condition over params, steps, choices and backend; the graph stays as it is when it is false.', 2000),
  bypass: addresses('Nodes that are taken out, each leading on what it is given: ids or "title:A title".'),
  loras: text('A placeholder that gives the names of LoRAs, which are put in one behind the other.', 600),
  after: addresses('With loras: the loaders whose MODEL and CLIP go through them.'),
  strength: {
    type: ['number', 'string'],
    minimum: -100,
    maximum: 100,
    maxLength: 600,
    description: 'With loras: strength of those that carry none; a number or a placeholder (1 when absent).',
  },
  swap: { type: 'string', minLength: 1, maxLength: 500, description: 'The node that others take the place of: id or "title:A title".' },
  nodes: map(
    OUTPUT_NAME_PATTERN,
    shape(['class_type'], {
      class_type: { type: 'string', minLength: 1, maxLength: 500, description: 'Class of the node.' },
      title: text('Label for people.', 200),
      inputs: {
        type: 'object',
        maxProperties: 500,
        description: 'Values, with placeholders, and links: [name of a node here or id of one of the workflow, output].',
      },
    }),
    50,
    'With swap: the nodes that are put in, by names of their own.',
  ),
  outputs: {
    type: 'object',
    maxProperties: 100,
    additionalProperties: { type: 'array', minItems: 2, maxItems: 2, items: { type: ['string', 'integer'] } },
    description: 'With swap: number of an output of the old node → [name under nodes, number of its output].',
  },
});

const step = shape(['id', 'workflow'], {
  id: { type: 'string', pattern: STEP_ID_PATTERN, description: 'Name of the step within the template.' },
  title: text('Label for people.', 200),
  backend: { enum: ['comfyui', 'wan2gp', 'sandbox'], description: 'Kind of backend (comfyui when absent).' },
  workflow: { type: 'string', minLength: 1, maxLength: 500, description: 'File beside template.json, with / between folders.' },
  needs: {
    type: 'array',
    maxItems: 200,
    items: { type: 'string' },
    description: 'Steps that go first, beyond those that references already imply.',
  },
  when: text('CEL condition over params, steps, choices and backend; the step is skipped when it is false.', 2000),
  each: text('A placeholder that gives a list: the step runs once for every item.', 600),
  set: {
    type: 'object',
    maxProperties: 2000,
    description: 'What goes into the workflow: node.input, "title:A title".input, or a settings key of Wan2GP.',
  },
  lowMemory: {
    ...shape(['set'], {
      set: {
        type: 'object',
        minProperties: 1,
        maxProperties: 2000,
        description: 'Addresses and values as in "set", over which they stand.',
      },
    }),
    description: 'What the step is tried with when the backend runs out of memory, e.g. a smaller tile. The seed stays.',
  },
  patch: { type: 'array', maxItems: 50, items: patch, description: 'Changes of the graph itself, on the copy of the run.' },
  optimize: { type: 'boolean', description: 'False: the graph of this step is sent as it is, without the optimiser.' },
  cache: {
    type: 'boolean',
    description: 'False: its results are never kept nor taken. True: it gives the same each time, also where that cannot be seen.',
  },
  fuse: {
    type: 'boolean',
    description:
      'False: it is always sent by itself. True: it may share the prompt of the step whose picture it takes, which is then not rounded to 8 bits.',
  },
  outputs: map(
    OUTPUT_NAME_PATTERN,
    { type: 'string', minLength: 1, maxLength: 200 },
    200,
    'Name → node id, "title:A title", or * for every file.',
  ),
});

const choice = shape(['after', 'from', 'into'], {
  after: { type: 'string', description: 'Step after which the run waits.' },
  from: text('What there is to choose from, e.g. {steps.base.portrait}.', 600),
  pick: {
    description: 'How many are picked: a number (1 when absent), or a range, which always gives a list.',
    anyOf: [
      { type: 'integer', minimum: 1, maximum: 1000 },
      shape([], {
        min: { type: 'integer', minimum: 0, maximum: 1000, description: 'At least so many (1 when absent).' },
        max: { type: 'integer', minimum: 1, maximum: 1000, description: 'At most so many (all when absent).' },
      }),
    ],
  },
  into: { type: 'string', pattern: OUTPUT_NAME_PATTERN, description: 'The name under {choices.…}.' },
  title: text('What the person is asked.', 200),
  // A timer of Node.js holds 2^31 - 1 milliseconds, a little more than 24 days.
  timeout: { type: 'integer', minimum: 1, maximum: 2_000_000, description: 'Seconds until `onTimeout`; for ever when absent.' },
  onTimeout: {
    enum: TIMEOUT_POLICIES,
    description: 'After `timeout`: the first candidates are taken, the choice fails (when absent), or the run waits on with a note.',
  },
});

const output = shape(['from'], {
  from: text('A placeholder, e.g. {steps.base.portrait}.', 600),
  title: text('Label for people.', 200),
  embed: { type: 'boolean', description: 'True: graph and provenance are put into its files, as far as their kind takes them.' },
  convert: {
    ...shape(['to'], {
      to: { enum: CONVERSIONS, description: 'Kind of file that is made of what the step gave, beside it.' },
      quality: { type: 'integer', minimum: 1, maximum: 100, description: 'Of jpg, webp, mp4, webm and mp3 (85 when absent).' },
      fps: {
        type: 'number',
        minimum: 0.1,
        maximum: 240,
        description: 'Pictures a second of mp4, webm and gif, or taken out of a film for frames.',
      },
      maxSize: { type: 'integer', minimum: 16, maximum: 16_384, description: 'Longest side in pixels; smaller pictures stay as they are.' },
      format: { enum: FRAME_FORMATS, description: 'Of frames: kind of each picture (png when absent).' },
    }),
    description: 'The output is these files; what the step gave is kept as it is.',
  },
  asset: shape(['kind'], {
    kind: {
      type: 'string',
      pattern: '^[a-z][a-z0-9_-]{0,63}$',
      description: 'What it becomes in Blender: image, image_sequence, movie, sound, mesh, hdri, material or text.',
    },
    name: text('Name pattern, e.g. {prompt|slug}-{index}.', 500),
    collection: text('Collection that it belongs in, as a pattern; / between collections in each other.', 500),
    colorSpace: { enum: COLOR_SPACES, description: 'Of pictures; when absent by what they are.' },
    map: { enum: MATERIAL_MAPS, description: 'Of a material: what this picture is in it. Outputs with the same name make one material.' },
  }),
});

const requires = shape([], {
  callsheet: text('Version range of Callsheet.', 100),
  comfyui: text('Version range of ComfyUI.', 100),
  nodes: {
    type: 'object',
    maxProperties: 1000,
    additionalProperties: { type: 'object' },
    description: 'Node classes that must exist, with the pack that brings them.',
  },
  models: {
    type: 'array',
    maxItems: 1000,
    description: 'Model files that must exist.',
    items: shape(['folder', 'name'], {
      folder: text('Model folder.', 200),
      name: text('File name.', 500),
      sha256: { type: 'string', pattern: '^[0-9a-f]{64}$' },
      url: text('Where it can be had.', 2000),
      bytes: { type: 'number', minimum: 0 },
    }),
  },
  vram: { type: 'number', minimum: 0, description: 'Bytes of graphics memory.' },
});

export const MANIFEST_SCHEMA = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'Callsheet template, format 1',
  ...shape(['format', 'id', 'version', 'steps'], {
    $schema: { type: 'string', description: 'For editors; not read.' },
    format: { const: 1, description: 'Version of this file format.' },
    id: { type: 'string', pattern: ID_PATTERN, description: 'Name of the template: lower case letters, digits and hyphens.' },
    version: { type: 'string', maxLength: 100, description: 'Semantic version of the template, e.g. 1.2.0.' },
    title: text('Label for people.', 200),
    description: text('What it makes.'),
    category: text('Shelf in the library.', 100),
    tags: { type: 'array', maxItems: 100, items: { type: 'string', maxLength: 100 }, description: 'Words to search by.' },
    author: text('Who made it.', 500),
    license: text('SPDX identifier.', 200),
    optimize: { type: 'boolean', description: 'False: no graph of this template is optimised before it is sent.' },
    cache: { type: 'boolean', description: 'As in a step, for the steps that do not say it.' },
    requires,
    parameters: map(PARAMETER_NAME_PATTERN, parameter, 500, 'Typed, named inputs.'),
    steps: { type: 'array', minItems: 1, maxItems: 200, items: step, description: 'Units of work, each sent to one backend.' },
    choices: { type: 'array', maxItems: 100, items: choice, description: 'Points where the run waits for a person.' },
    outputs: map(OUTPUT_NAME_PATTERN, output, 200, 'What the run is for.'),
  }),
} as const;

/** `$schema` names draft-07 for editors; the text is what `npm run generate` writes to schemas/template-1.json. */
export function manifestSchemaText(): string {
  return `${JSON.stringify(MANIFEST_SCHEMA, null, 2)}\n`;
}
