/** Which outputs of a draft are known before the run: primitives, and what text, math and logic nodes make of known values. */
import type { GraphLink } from '../types.ts';
import type { Draft, DraftNode } from './draft.ts';
import { foldExpression } from './fold-math.ts';
import { type Fold, TEXT_FOLDS } from './fold-text.ts';
import { isCore } from './known-classes.ts';
import { bool, isTruthy, type PythonValue, readConstant } from './python-value.ts';

export interface KnownValues {
  /** Of an output. */
  at(link: GraphLink): PythonValue | undefined;
  /** Of an input, be it written or linked. */
  input(node: DraftNode, name: string): PythonValue | undefined;
  /** Whether outputs of the node are known by its class; not whether they are. */
  isFoldable(node: DraftNode): boolean;
}

type Values = readonly (PythonValue | undefined)[];
type NodeFold = (node: DraftNode, argument: (name: string) => PythonValue | undefined) => Values;

const value: NodeFold = (_node, argument) => [argument('value')];
const text =
  (fold: Fold): NodeFold =>
  (_node, argument) =>
    fold(argument);

/** Chains of nodes that are known are short; a longer one is left to the server. */
const MAX_DEPTH = 64;

const FOLDS: ReadonlyMap<string, NodeFold> = new Map<string, NodeFold>([
  ...['PrimitiveInt', 'PrimitiveFloat', 'PrimitiveString', 'PrimitiveStringMultiline', 'PrimitiveBoolean'].map(
    (name) => [name, value] as const,
  ),
  ...[...TEXT_FOLDS].map(([name, fold]) => [name, text(fold)] as const),
  ['ComfyMathExpression', math],
  [
    'ComfyNotNode',
    (_node, argument) => {
      const given = argument('value');
      return [given === undefined ? undefined : bool(!isTruthy(given))];
    },
  ],
  ['ComfyAndNode', (node, argument) => [ofAll(node, argument, (all) => all.every(isTruthy))]],
  ['ComfyOrNode', (node, argument) => [ofAll(node, argument, (all) => all.some(isTruthy))]],
  [
    'ComfySwitchNode',
    (node, argument) => {
      const which = argument('switch');
      if (which?.type !== 'bool') return [];
      return [argument(which.value ? 'on_true' : 'on_false')];
    },
  ],
]);

/** Reads the draft as it is; what passes do to it changes no value, so that what was found stays true. */
export function knownValues(draft: Draft): KnownValues {
  const found = new Map<string, Values>();
  const open = new Set<string>();
  const isFoldable = ({ nodeClass }: DraftNode): boolean => nodeClass !== undefined && isCore(nodeClass) && FOLDS.has(nodeClass.name);
  const at = ({ node: id, slot }: GraphLink): PythonValue | undefined => {
    const known = found.get(id);
    if (known !== undefined) return known[slot];
    const node = draft.get(id);
    if (node === undefined || open.has(id) || open.size > MAX_DEPTH || !isFoldable(node)) return undefined;
    open.add(id);
    const values = FOLDS.get(node.classType)?.(node, (name) => input(node, name)) ?? [];
    open.delete(id);
    found.set(id, values);
    return values[slot];
  };
  const input = (node: DraftNode, name: string): PythonValue | undefined => {
    const given = node.inputs.get(name);
    const spec = node.specs.get(name);
    if (given === undefined || spec === undefined) return undefined;
    return given.link === undefined ? readConstant(given.value, spec) : at(given.link);
  };
  return { at, input, isFoldable };
}

// --- helpers ---

const GROWN = 'values.';

function math(node: DraftNode, argument: (name: string) => PythonValue | undefined): Values {
  const expression = argument('expression');
  if (expression?.type !== 'str') return [];
  return foldExpression(expression.value, (name) => argument(GROWN + name)) ?? [];
}

function ofAll(
  node: DraftNode,
  argument: (name: string) => PythonValue | undefined,
  judge: (all: readonly PythonValue[]) => boolean,
): PythonValue | undefined {
  const names = [...node.inputs.keys()].filter((name) => name.startsWith(GROWN));
  const all = names.flatMap((name) => argument(name) ?? []);
  return names.length === 0 || all.length < names.length ? undefined : bool(judge(all));
}
