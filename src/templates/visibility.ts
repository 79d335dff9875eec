/** `visible`: which parameters are shown and asked for, by conditions over other parameters. */
import { type Condition, parseCondition } from './conditions.ts';
import { type ParameterDefinition, type ParameterType, isMedia, type Value } from './types.ts';

type Definitions = ReadonlyMap<string, ParameterDefinition>;

/** Undefined when there is no condition, or one that the compiler refused. */
export function visibleWhen(definition: ParameterDefinition): Condition | undefined {
  if (definition.visible === undefined) return undefined;
  const parsed = parseCondition(definition.visible);
  return 'condition' in parsed ? parsed.condition : undefined;
}

/** Names of the parameters that a condition reads, each once. */
export function parametersRead({ reads }: Condition): readonly string[] {
  return [...new Set(reads.flatMap(([root, name]) => (root === 'params' && name !== undefined ? [name] : [])))];
}

export interface VisibilityOrder {
  /** Every parameter after those that its condition reads. */
  readonly order: readonly string[];
  /** Names that wait for each other; empty when all can be decided. */
  readonly circle: readonly string[];
}

export function visibilityOrder(parameters: Definitions): VisibilityOrder {
  const waiting = new Map<string, readonly string[]>();
  for (const [name, definition] of parameters) {
    const condition = visibleWhen(definition);
    waiting.set(name, condition === undefined ? [] : parametersRead(condition).filter((read) => parameters.has(read)));
  }
  const order: string[] = [];
  const done = new Set<string>();
  for (let progress = true; progress;) {
    progress = false;
    for (const [name, reads] of waiting) {
      if (done.has(name) || !reads.every((read) => done.has(read))) continue;
      done.add(name);
      order.push(name);
      progress = true;
    }
  }
  return { order, circle: [...waiting.keys()].filter((name) => !done.has(name)) };
}

export type Visibility = { readonly shown: boolean } | { readonly undecided: string };

/** `values` are those of the parameters that the condition reads. */
export function isShown(condition: Condition, parameters: Definitions, values: ReadonlyMap<string, Value>): Visibility {
  const params = parametersRead(condition).map((name): [string, unknown] => {
    const definition = parameters.get(name);
    return [name, forCondition(values.get(name) ?? null, definition?.type === 'list' ? definition.of : definition?.type)];
  });
  try {
    return { shown: condition.evaluate({ params: Object.fromEntries(params), steps: {}, choices: {}, backend: {} }) };
  } catch (error) {
    return { undecided: error instanceof Error ? error.message : String(error) };
  }
}

/** Whole numbers are CEL integers, also where JSON has only numbers. */
export function forCondition(value: Value, type: ParameterType | undefined): unknown {
  if (Array.isArray(value)) return value.map((item: Value) => forCondition(item, type));
  if (typeof value === 'number' && (type === 'integer' || type === 'seed' || (type === 'choice' && Number.isSafeInteger(value))))
    return BigInt(value);
  return isMedia(value) ? { path: value.path, name: value.name, bytes: BigInt(value.bytes), mediaType: value.mediaType } : value;
}
