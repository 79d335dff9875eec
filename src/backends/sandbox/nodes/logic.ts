/** Nodes that choose and join values before anything is drawn. */
import { bool, type NodeDefinition, text, type InputSpec } from './define.ts';

const branch: InputSpec = { type: 'COMFY_MATCHTYPE_V3', details: { lazy: true, template: { template_id: 'switch', allowed_types: '*' } } };

export const LOGIC_NODES: readonly NodeDefinition[] = [
  {
    name: 'ComfySwitchNode',
    displayName: 'If/Else Switch',
    category: 'utilities/logic',
    module: 'comfy_extras.nodes_logic',
    schema: 'v3',
    required: { switch: bool(), on_false: branch, on_true: branch },
    outputs: [['COMFY_MATCHTYPE_V3', 'output']],
    lazy: { inputs: ['on_false', 'on_true'], needs: (inputs) => [inputs.boolean('switch') ? 'on_true' : 'on_false'] },
    run: (inputs) => ({ outputs: [inputs.raw(inputs.boolean('switch') ? 'on_true' : 'on_false') ?? null] }),
  },
  {
    name: 'StringConcatenate',
    displayName: 'Concatenate Text',
    category: 'text',
    module: 'comfy_extras.nodes_string',
    schema: 'v3',
    required: {
      string_a: text({ multiline: true }),
      string_b: text({ multiline: true }),
      delimiter: text({ default: '', multiline: false }),
    },
    outputs: [['STRING', 'STRING']],
    run: (inputs) => ({ outputs: [[inputs.string('string_a'), inputs.string('string_b')].join(inputs.string('delimiter'))] }),
  },
];
