/** What a run was for: the manifest's outputs with their values, what is made of them, and what they become in Blender. */
import type { AssetKind, ColorSpace, MaterialMap } from '#protocol/assets.ts';
import type { Problem } from '#protocol/problem.ts';
import type { CompiledAsset, CompiledTemplate } from './compiled.ts';
import { applyFilters } from './filters.ts';
import { resolve } from './resolve.ts';
import type { Checked, ConvertDefinition, Scope, Value } from './types.ts';

export interface RenderedOutput {
  readonly values: readonly Value[];
  readonly embed: boolean;
  readonly convert?: ConvertDefinition;
  readonly asset?: RenderedAsset;
}

export interface RenderedAsset {
  readonly kind: AssetKind;
  readonly colorSpace?: ColorSpace;
  readonly map?: MaterialMap;
  /** Of the file with this index, from 0; undefined where the manifest has no pattern. */
  readonly nameOf: (index: number) => string | undefined;
  readonly collectionOf: (index: number) => string | undefined;
}

/** Every declared output, also of a run that failed: what a step did not give is an empty list. Values come out of `files`, names out of `scope`. */
export function renderOutputs(
  template: CompiledTemplate,
  scope: Scope,
  files: Scope = scope,
): Checked<Readonly<Record<string, RenderedOutput>>> {
  const problems: Problem[] = [];
  const outputs = [...template.outputs].map(([name, output]): [string, RenderedOutput] => {
    const resolved = resolve(output.from, files, template);
    const given = resolved.kind === 'value' ? resolved.value : [];
    const values = Array.isArray(given) ? (given as readonly Value[]) : [given];
    if (resolved.kind === 'problem') {
      problems.push({
        code: 'OUTPUT_EMPTY',
        severity: 'warning',
        message: `The output "${name}" is empty: ${resolved.message}`,
        hint: resolved.hint,
      });
    }
    const { embed, convert, asset } = output;
    const rendered = {
      values,
      embed,
      ...(convert === undefined ? {} : { convert }),
      ...(asset === undefined ? {} : { asset: renderAsset(asset, scope, template) }),
    };
    return [name, rendered];
  });
  return { value: Object.fromEntries(outputs), problems };
}

function renderAsset(asset: CompiledAsset, scope: Scope, template: CompiledTemplate): RenderedAsset {
  const { kind, colorSpace, map, name, collection } = asset;
  const text = (pattern: CompiledAsset['name']) => (index: number) =>
    pattern === undefined ? undefined : textOf(pattern, { ...scope, index }, template);
  return {
    kind,
    ...(colorSpace === undefined ? {} : { colorSpace }),
    ...(map === undefined ? {} : { map }),
    nameOf: text(name),
    collectionOf: text(collection),
  };
}

/** A name is never worth a failure: what has no value in it is left out. */
export function textOf(pattern: NonNullable<CompiledAsset['name']>, scope: Scope, template: CompiledTemplate): string {
  if (typeof pattern !== 'object') return pattern;
  return pattern.parts
    .map((part) => {
      if (typeof part === 'string') return part;
      const resolved = resolve(part, scope, template);
      const filtered = resolved.kind === 'value' ? applyFilters(resolved.value, part.filters) : undefined;
      if (filtered === undefined || 'message' in filtered) return '';
      return filtered.value;
    })
    .join('');
}
