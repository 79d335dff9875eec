/** `when`: conditions in CEL, parsed with caps by a library that generates no code, with every name checked beforehand. */
import { type ASTNode, Environment as Cel, type ParseResult } from '@marcbachmann/cel-js';
import { closest } from '#graph/suggest.ts';

const MAX_LENGTH = 2000;
const LIMITS = { maxAstNodes: 400, maxDepth: 32, maxListElements: 200, maxMapEntries: 50, maxCallArguments: 8 };
const ROOTS = ['params', 'steps', 'choices', 'backend'] as const;
const MACROS = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);

export interface Condition {
  readonly text: string;
  /** Paths that it reads: ["params", "face"], ["steps", "base", "portrait"] … */
  readonly reads: readonly (readonly string[])[];
  /** Throws an Error in words when the condition cannot be decided for these values. */
  readonly evaluate: (context: Readonly<Record<(typeof ROOTS)[number], unknown>>) => boolean;
}

export type ParsedCondition = { readonly condition: Condition } | { readonly message: string; readonly hint: string };

let environment: Cel | undefined;

function cel(): Cel {
  environment ??= ROOTS.reduce(
    (env, name) => env.registerVariable(name, 'map'),
    new Cel({ limits: LIMITS, homogeneousAggregateLiterals: false }),
  );
  return environment;
}

export function parseCondition(text: string): ParsedCondition {
  const hint = 'Write a CEL condition, e.g. params.face != null && params.width > 512.';
  if (text.length > MAX_LENGTH) return { message: `The condition has more than ${MAX_LENGTH} characters.`, hint };
  let parsed: ParseResult;
  try {
    parsed = cel().parse(text);
  } catch (error) {
    return { message: `The condition cannot be read: ${firstLine(error)}.`, hint };
  }
  const reads: (readonly string[])[] = [];
  const refused = walk(parsed.ast, reads, 0);
  if (refused !== undefined) return { message: refused, hint };
  const check = parsed.check();
  if (!check.valid) return { message: `The condition is wrong: ${firstLine(check.error)}.`, hint: unknownRoot(parsed.ast) ?? hint };
  if (check.type !== 'bool' && check.type !== 'dyn') return { message: `The condition gives ${check.type}, not true or false.`, hint };
  const evaluate: Condition['evaluate'] = (context) => {
    let result: unknown;
    try {
      result = parsed(context);
    } catch (error) {
      throw new Error(firstLine(error), { cause: error });
    }
    if (typeof result !== 'boolean') throw new Error('it gives neither true nor false');
    return result;
  };
  return { condition: { text, reads, evaluate } };
}

function firstLine(error: unknown): string {
  const summary = typeof error === 'object' && error !== null && 'summary' in error ? error.summary : undefined;
  const message = typeof summary === 'string' ? summary : error instanceof Error ? error.message : String(error);
  return (message.split('\n')[0] ?? '').replace(/\.$/, '');
}

/** The dotted path of `a.b["c"]`; undefined when something else than names and literals leads there. */
function pathOf(node: ASTNode): readonly string[] | undefined {
  if (node.op === 'id') return [node.args];
  if (node.op === '.' || node.op === '.?') {
    const left = pathOf(node.args[0]);
    return left === undefined ? undefined : [...left, node.args[1]];
  }
  if (node.op === '[]' || node.op === '[?]') {
    const [of, key] = node.args;
    const left = pathOf(of);
    return left !== undefined && key.op === 'value' && typeof key.args === 'string' ? [...left, key.args] : undefined;
  }
  return undefined;
}

/** Collects what is read; gives a sentence when the condition does something that has no bound or cannot be followed. */
function walk(node: ASTNode, reads: (readonly string[])[], loops: number): string | undefined {
  const path = pathOf(node);
  if (path !== undefined) {
    const [root = ''] = path;
    if (!ROOTS.some((name) => name === root)) return undefined;
    reads.push(path);
    const least = root === 'steps' ? 3 : 2;
    return path.length < least ? `"${path.join('.')}" alone has no value; name what you mean, e.g. ${example(root)}` : undefined;
  }
  const called = node.op === 'call' || node.op === 'rcall' ? node.args[0] : '';
  if (called === 'matches') return 'matches() is not allowed in conditions: its running time has no bound';
  const inside = MACROS.has(called) ? loops + 1 : loops;
  if (inside > 2) return 'More than two loops inside each other are not allowed in conditions';
  for (const child of childrenOf(node)) {
    const refused = walk(child, reads, inside);
    if (refused !== undefined) return refused;
  }
  return undefined;
}

function childrenOf(node: ASTNode): readonly ASTNode[] {
  const found: ASTNode[] = [];
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) for (const item of value as readonly unknown[]) visit(item);
    else if (isNode(value)) found.push(value);
  };
  visit(node.args);
  return found;
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value;
}

function example(root: string): string {
  return root === 'steps' ? 'steps.base.portrait.' : root === 'backend' ? 'backend.kind.' : `${root}.name.`;
}

/** A bare name in place of `params.name` is the usual slip. */
function unknownRoot(ast: ASTNode): string | undefined {
  const names: string[] = [];
  const visit = (node: ASTNode): void => {
    if (node.op === 'id') names.push(node.args);
    childrenOf(node).forEach(visit);
  };
  visit(ast);
  const [stray] = names.filter((name) => !ROOTS.some((root) => root === name));
  if (stray === undefined) return undefined;
  const near = closest(stray, ROOTS);
  return near === undefined ? `Parameters are written params.${stray}.` : `Did you mean "${near}"?`;
}
