/** Constants, and text shown instead of a file. */
import { printJson } from '../json.ts';
import type { SlotValue } from '../values.ts';
import { bool, float, int, link, type NodeDefinition, text, type InputSpec } from './define.ts';

const LIMIT = 9223372036854775807n;

function primitive(name: string, displayName: string, type: string, value: InputSpec): NodeDefinition {
  return {
    name,
    displayName,
    category: 'utilities/primitive',
    module: 'comfy_extras.nodes_primitive',
    schema: 'v3',
    required: { value },
    outputs: [[type, type]],
    run: (inputs) => ({ outputs: [inputs.raw('value') ?? null] }),
  };
}

/** Python's str() of a value, near enough for people. */
export function asText(value: SlotValue | undefined): string {
  if (value === undefined || value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value !== 'object') return String(value);
  if (value.kind === 'image' || value.kind === 'mask') {
    const [first] = value.frames;
    return `${value.kind} batch of ${value.frames.length}, ${first?.width ?? 0} × ${first?.height ?? 0}${value.draft ? ', drafted' : ''}`;
  }
  if (value.kind === 'audio') {
    const seconds = (value.channels[0]?.length ?? 0) / value.sampleRate;
    return `audio of ${seconds.toFixed(2)} s, ${value.sampleRate} Hz, ${value.channels.length} channels${value.draft ? ', drafted' : ''}`;
  }
  if (value.kind === 'video') return `video of ${value.images.frames.length} pictures, ${value.fps} a second`;
  if (value.kind === 'svg') return value.texts.join('\n');
  if (value.kind === 'mesh') return `${value.count} meshes, drafted`;
  return printJson(value);
}

export const PRIMITIVE_NODES: readonly NodeDefinition[] = [
  primitive('PrimitiveInt', 'Int', 'INT', int({ min: -LIMIT, max: LIMIT, control_after_generate: 'fixed' })),
  primitive('PrimitiveFloat', 'Float', 'FLOAT', float({ min: -Number(LIMIT), max: Number(LIMIT), step: 0.1 })),
  primitive('PrimitiveString', 'Text', 'STRING', text({ multiline: false })),
  primitive('PrimitiveStringMultiline', 'Text (Multiline)', 'STRING', text({ multiline: true })),
  primitive('PrimitiveBoolean', 'Boolean', 'BOOLEAN', bool()),
  {
    name: 'PreviewAny',
    displayName: 'Preview as Text',
    category: 'utilities',
    module: 'comfy_extras.nodes_preview_any',
    schema: 'v1',
    required: { source: link('*') },
    outputs: [['STRING', 'STRING']],
    isOutput: true,
    run(inputs) {
      const shown = asText(inputs.raw('source'));
      return { outputs: [shown], ui: { text: [shown] } };
    },
  },
];
