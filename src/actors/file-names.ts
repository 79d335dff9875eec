/** What files of results are called: by the name that the template gives the output that takes them, else by step, item and output. */
import type { CompiledAsset, CompiledTemplate } from '#templates/compiled.ts';
import { textOf } from '#templates/outputs.ts';
import type { Scope } from '#templates/types.ts';

export interface NamedFile {
  readonly step: string;
  /** Place of the item, from 0. */
  readonly item: number;
  /** `*` where the step declares no output for the node. */
  readonly output: string;
  readonly node: string;
  /** Position among the files of the node, from 0. */
  readonly index: number;
}

/** Without extension, and not yet safe for a file system. `scope` is made when the first name needs it. */
export function createFileNames(template: CompiledTemplate, scope: () => Scope): (file: NamedFile) => string {
  let made: Scope | undefined;
  return (file) => {
    const pattern = patternOf(template, file.step, file.output);
    made ??= pattern === undefined ? undefined : scope();
    const text = pattern === undefined || made === undefined ? '' : byPattern(template, pattern, made, file);
    return text === '' ? byPlace(template, file) : text;
  };
}

// --- helpers ---

type Pattern = NonNullable<CompiledAsset['name']>;

/** Of the first output of the template that takes files from here. */
function patternOf({ outputs }: CompiledTemplate, step: string, output: string): Pattern | undefined {
  for (const { from, asset } of outputs.values()) {
    const takes = from.alternatives.some(({ path: [root, name, of] }) => root === 'steps' && name === step && of === output);
    if (takes && asset?.name !== undefined) return asset.name;
  }
  return undefined;
}

/**
 * `{index}` counts items where the step has many, else the files of the node: both are known before all files are there. What it leaves
 * equal gets numbers behind, as names without a pattern do.
 */
function byPattern(template: CompiledTemplate, pattern: Pattern, scope: Scope, { step, item, index }: NamedFile): string {
  const isMany = template.steps.find(({ id }) => id === step)?.each !== undefined;
  const text = textOf(pattern, { ...scope, index: isMany ? item : index }, template).trim();
  if (text === '') return '';
  const counts = typeof pattern === 'object' && pattern.parts.some((part) => typeof part === 'object' && usesIndex(part));
  const itemTail = isMany && !counts && item > 0 ? `-${String(item + 1).padStart(2, '0')}` : '';
  const fileTail = (isMany || !counts) && index > 0 ? `_${String(index + 1)}` : '';
  return `${text}${itemTail}${fileTail}`;
}

function usesIndex({ alternatives }: { readonly alternatives: readonly { readonly path: readonly string[] }[] }): boolean {
  return alternatives.some(({ path: [root] }) => root === 'index');
}

/** `base-02_portrait_2`: step, item from the second on, output, file from the second on. Of outputs that take every node, the node as well. */
function byPlace({ steps }: CompiledTemplate, { step, item, output, node, index }: NamedFile): string {
  const head = item === 0 ? step : `${step}-${String(item + 1).padStart(2, '0')}`;
  const tail = index === 0 ? '' : `_${String(index + 1)}`;
  const takesAll = steps.find(({ id }) => id === step)?.outputs[output] === '*';
  return `${head}_${output === '*' ? node : takesAll ? `${output}_${node}` : output}${tail}`;
}
