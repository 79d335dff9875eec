/** Classes that a server had once and has replaced since, as its object info would describe them: what a file in UI format needs to be read. */
import { inputsOf } from './node-inputs.ts';
import type { InputSpec, NodeClass, ObjectInfo } from './node-classes.ts';
import { everyReplacement, replacementOf } from './replacements.ts';
import type { GraphInput, NodeReplacement } from './types.ts';

const wide = new WeakMap<ObjectInfo, ObjectInfo>();

/** The object info with the old classes that can be told from the new ones. The graph made with it still has to be brought to the new classes. */
export function withOldClasses(info: ObjectInfo): ObjectInfo {
  const known = wide.get(info);
  if (known !== undefined) return known;
  const classes = new Map(info.classes);
  for (const from of everyReplacement(info)) {
    const replacement = replacementOf(from, info);
    const old = replacement === undefined ? undefined : oldClass(replacement, info);
    if (old !== undefined) classes.set(from, old);
  }
  const made = { ...info, classes };
  wide.set(info, made);
  return made;
}

/** Undefined when a widget of the old class has no counterpart: then nobody can say which saved value is whose. */
function oldClass({ from, to, inputs, widgets = [] }: NodeReplacement, info: ObjectInfo): NodeClass | undefined {
  const now = info.classes.get(to);
  if (now === undefined || inputs === undefined) return now === undefined ? undefined : { ...now, name: from };
  const specs = inputsOf(now, { id: '', classType: to, inputs: chosenBy(inputs), at: NOWHERE, inputsAt: NOWHERE });
  const old = new Map<string, InputSpec>();
  for (const mapping of inputs) {
    const spec = specs.get(mapping.to);
    if ('from' in mapping && spec !== undefined && !old.has(mapping.from)) old.set(mapping.from, { ...spec, name: mapping.from });
  }
  if (widgets.some((name) => !old.has(name))) return undefined;
  const ordered = [...widgets.flatMap((name) => old.get(name) ?? []), ...[...old.values()].filter(({ name }) => !widgets.includes(name))];
  return { ...now, name: from, inputs: new Map(ordered.map((spec) => [spec.name, spec])) };
}

const NOWHERE = { kind: 'object', members: [], start: 0, end: 0 } as const;

/** Values that the replacement sets decide which dynamic inputs there are. */
function chosenBy(inputs: NonNullable<NodeReplacement['inputs']>): ReadonlyMap<string, GraphInput> {
  return new Map(
    inputs.flatMap((mapping): [string, GraphInput][] =>
      'value' in mapping && typeof mapping.value === 'string'
        ? [[mapping.to, { name: mapping.to, value: { kind: 'string', value: mapping.value, start: 0, end: 0 } }]]
        : [],
    ),
  );
}
