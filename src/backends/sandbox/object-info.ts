/** The object info of a node class in the shape of a real ComfyUI 0.33. */
import { type ObjectInfo, parseObjectInfo } from '#graph/object-info.ts';
import { type Json, type JsonRecord, printJson } from './json.ts';
import { createModelLists } from './models.ts';
import { type Catalogue, CATALOGUE } from './nodes/catalogue.ts';
import type { InputSpec, Listing, NodeDefinition } from './nodes/define.ts';

/** `[type, options]` as it stands in object info and in `input_config` of validation errors. */
export function inputConfig(spec: InputSpec, schema: 'v1' | 'v3', listing: Listing): Json[] {
  const details = { ...spec.details };
  if (spec.options !== undefined) {
    const options = [...spec.options(listing)];
    if (schema === 'v3') return ['COMBO', { multiselect: false, options, ...details }];
    return spec.details === undefined ? [options] : [options, details];
  }
  return schema === 'v1' && spec.details === undefined ? [spec.type] : [spec.type, details];
}

export function describeNode(definition: NodeDefinition, listing: Listing): JsonRecord {
  const { schema, required, optional, hidden, outputs } = definition;
  const group = (specs: Readonly<Record<string, InputSpec>>): JsonRecord =>
    Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, inputConfig(spec, schema, listing)]));
  const hiddenInputs = (): JsonRecord =>
    Object.fromEntries(Object.entries(hidden ?? {}).map(([name, type]): [string, Json] => [name, schema === 'v3' ? [type] : type]));
  return {
    input: {
      required: group(required),
      ...(optional === undefined ? {} : { optional: group(optional) }),
      ...(hidden === undefined ? {} : { hidden: hiddenInputs() }),
    },
    input_order: {
      required: Object.keys(required),
      ...(optional === undefined ? {} : { optional: Object.keys(optional) }),
      ...(hidden === undefined ? {} : { hidden: Object.keys(hidden) }),
    },
    is_input_list: false,
    output: outputs.map(([type]) => type),
    output_is_list: outputs.map(() => false),
    output_name: outputs.map(([, name]) => name),
    ...(schema === 'v3' ? { output_tooltips: outputs.map(() => null), output_matchtypes: null } : {}),
    name: definition.name,
    display_name: definition.displayName,
    description: definition.description ?? '',
    python_module: definition.module,
    category: definition.category,
    output_node: definition.isOutput ?? false,
    has_intermediate_output: false,
    ...(schema === 'v3' || definition.deprecated === true ? { deprecated: definition.deprecated ?? false } : {}),
    ...(schema === 'v3' ? { experimental: false, dev_only: false, api_node: false, price_badge: null, essentials_category: null } : {}),
    search_aliases: schema === 'v3' ? null : [],
  };
}

export function describeAll(catalogue: Catalogue, listing: Listing): JsonRecord {
  return Object.fromEntries([...catalogue].map(([name, definition]) => [name, describeNode(definition, listing)]));
}

/** The classes that every sandbox knows, with its own lists of models and no input files. */
export function builtInObjectInfo(): ObjectInfo {
  const listing: Listing = { models: createModelLists({}, () => false), storage: { inputs: () => [] } };
  return parseObjectInfo(printJson(describeAll(CATALOGUE, listing))).info ?? { classes: new Map() };
}
