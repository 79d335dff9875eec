/** Compiles the outputs of a template: where each takes its files from, what is made of them, and what they become in Blender. */
import { type AssetKind, ASSET_KINDS } from '#protocol/assets.ts';
import { didYouMean } from '#graph/suggest.ts';
import { type CompileContext, manifestText, report } from './compile-context.ts';
import type { CompiledAsset, CompiledChoice, CompiledOutput, CompiledStep } from './compiled.ts';
import type { Environment } from './environment.ts';
import type { Placeholder, TextTemplate } from './grammar.ts';
import type { Path } from './locate.ts';
import { sourcesOf } from './output-sources.ts';
import { compileReference, compileText } from './references.ts';
import { assetKind, canBe, canBecome, type Family, familyOf, savedBy } from './saved-families.ts';
import type { AssetDefinition, ConvertDefinition, OutputDefinition } from './types.ts';

export interface CompiledParts {
  readonly steps: readonly CompiledStep[];
  readonly choices: readonly CompiledChoice[];
}

export function compileOutput(
  context: CompileContext,
  name: string,
  output: OutputDefinition,
  parts: CompiledParts,
): CompiledOutput | undefined {
  const path: Path = ['outputs', name];
  const from = compileReference(output.from, 'from', manifestText(context, [...path, 'from'], context.names));
  const { convert, embed = false, title } = output;
  if (convert !== undefined) checkOptions(context, [...path, 'convert'], convert);
  const asset = output.asset === undefined ? undefined : compileAsset(context, [...path, 'asset'], output.asset);
  if (from === undefined) return undefined;
  const given = familiesOf(from, parts);
  if (convert !== undefined) checkConversion(context, [...path, 'convert', 'to'], convert, given);
  const made = convert === undefined ? given : [familyOf(convert.to)];
  if (asset !== undefined) checkKind(context, [...path, 'asset', 'kind'], asset.kind, made, convert);
  return { from, title, embed, convert, needsFfmpeg: convert !== undefined && needsFfmpeg(convert, given), asset };
}

/** Of a material every picture has its own place: two with one name and one map are one too many. */
export function checkMaterials(context: CompileContext, outputs: ReadonlyMap<string, CompiledOutput>): void {
  const taken = new Map<string, string>();
  for (const [name, { asset }] of outputs) {
    if (asset?.kind !== 'material' || asset.map === undefined) continue;
    const key = JSON.stringify([nameText(asset.name), asset.map]);
    const other = taken.get(key);
    if (other === undefined) taken.set(key, name);
    else {
      const message = `The outputs "${other}" and "${name}" are both ${asset.map} of one material.`;
      report(context, ['outputs', name, 'asset', 'map'], 'TEMPLATE_ASSET_OPTION', message, {
        hint: 'Give the materials different names, or the output another map.',
      });
    }
  }
}

// --- helpers ---

function nameText(name: CompiledAsset['name']): string {
  return typeof name === 'object' ? name.parts.map((part) => (typeof part === 'string' ? part : part.text)).join('') : (name ?? '');
}

function compileAsset(context: CompileContext, path: Path, asset: AssetDefinition): CompiledAsset | undefined {
  const { colorSpace, map } = asset;
  const kind = assetKind(asset.kind);
  const pattern = (field: 'name' | 'collection'): TextTemplate | string | undefined => {
    const text = asset[field];
    const environment: Environment = { ...context.names, index: true };
    return text === undefined ? undefined : (compileText(text, manifestText(context, [...path, field], environment)) ?? text);
  };
  const refuse = (field: string, message: string, hint: string) =>
    report(context, [...path, field], 'TEMPLATE_ASSET_OPTION', message, { hint });
  if (kind === undefined) {
    const message = `"${asset.kind}" is no kind of asset; its files become what they are.`;
    report(context, [...path, 'kind'], 'TEMPLATE_ASSET_KIND_UNKNOWN', message, {
      severity: 'warning',
      hint: didYouMean(asset.kind, ASSET_KINDS, 'kinds'),
    });
    return undefined;
  }
  if (kind !== asset.kind) {
    const message = `The kind of asset "${asset.kind}" is called "${kind}" now.`;
    report(context, [...path, 'kind'], 'TEMPLATE_ASSET_KIND_OLD', message, { severity: 'info', hint: `Write "${kind}".` });
  }
  if (colorSpace !== undefined && !SHOWN.has(kind)) refuse('colorSpace', `A ${kind} has no colour space.`, 'Remove "colorSpace".');
  if (map !== undefined && kind !== 'material')
    refuse('map', `"map" belongs to a material, and this is a ${kind}.`, 'Remove "map", or write "kind": "material".');
  if (map === undefined && kind === 'material')
    refuse('kind', 'A material needs to know what this picture is in it.', 'Add "map", e.g. "map": "base_color".');
  return { kind, name: pattern('name'), collection: pattern('collection'), colorSpace, map };
}

const SHOWN: ReadonlySet<AssetKind> = new Set(['image', 'image_sequence', 'movie', 'hdri', 'material']);

const OPTIONS: Readonly<Record<'quality' | 'fps' | 'maxSize' | 'format', readonly ConvertDefinition['to'][]>> = {
  quality: ['jpg', 'webp', 'mp4', 'webm', 'mp3', 'frames'],
  fps: ['mp4', 'webm', 'gif', 'frames'],
  maxSize: ['png', 'jpg', 'webp', 'tiff', 'exr', 'mp4', 'webm', 'gif', 'frames'],
  format: ['frames'],
};

const BY_ITSELF: ReadonlySet<ConvertDefinition['to']> = new Set(['png', 'jpg', 'webp', 'tiff']);

/** Pictures are gathered into a sequence by their names alone. */
function needsFfmpeg({ to, maxSize, format }: ConvertDefinition, given: readonly Family[] | undefined): boolean {
  const isGathering =
    to === 'frames' && maxSize === undefined && format === undefined && given?.every((family) => family === 'picture') === true;
  return !BY_ITSELF.has(to) && !isGathering;
}

function checkOptions(context: CompileContext, path: Path, convert: ConvertDefinition): void {
  for (const option of ['quality', 'fps', 'maxSize', 'format'] as const) {
    if (convert[option] === undefined || OPTIONS[option].includes(convert.to)) continue;
    const message = `"${option}" says nothing about ${convert.to}.`;
    report(context, [...path, option], 'TEMPLATE_CONVERT_OPTION', message, {
      hint: `It belongs to ${OPTIONS[option].join(', ')}. Remove it.`,
    });
  }
  if (convert.to === 'frames' && convert.quality !== undefined && convert.format !== 'jpg') {
    const message = '"quality" is of frames in jpg only.';
    report(context, [...path, 'quality'], 'TEMPLATE_CONVERT_OPTION', message, { hint: 'Add "format": "jpg", or remove "quality".' });
  }
}

/** Undefined: it may be anything. */
function familiesOf(from: Placeholder, { steps, choices }: CompiledParts): readonly Family[] | undefined {
  const drawn = new Map(choices.map((choice) => [choice.into, choice.from]));
  const families = new Set<Family>();
  for (const { step, output } of sourcesOf(from, drawn)) {
    const found = steps.find(({ id }) => id === step);
    const node = found?.graph.nodes.get(found.outputs[output] ?? '');
    const saved = node === undefined || found?.backend === 'wan2gp' ? undefined : savedBy(node.classType);
    if (saved === undefined) return undefined;
    for (const family of saved) families.add(family);
  }
  return families.size === 0 ? undefined : [...families];
}

function checkConversion(context: CompileContext, path: Path, { to }: ConvertDefinition, given: readonly Family[] | undefined): void {
  if (given === undefined || given.some((family) => canBecome(family, to))) return;
  const message = `What the step gives (${given.join(' or ')}) cannot become ${to}.`;
  report(context, path, 'TEMPLATE_CONVERT_MISFIT', message, {
    severity: 'warning',
    hint: 'Take another output under "from", or another "to".',
  });
}

/** What is made on purpose is known for certain; what a node saves nearly so. */
function checkKind(
  context: CompileContext,
  path: Path,
  kind: AssetKind,
  made: readonly Family[] | undefined,
  convert: ConvertDefinition | undefined,
): void {
  if (made === undefined || made.some((family) => canBe(family, kind))) return;
  const what = convert === undefined ? `What the step gives (${made.join(' or ')})` : `What it is converted to (${convert.to})`;
  const kinds = ASSET_KINDS.filter((one) => made.some((family) => canBe(family, one)));
  const offer = kinds.length === 0 ? 'Remove "asset".' : `Write ${kinds.map((one) => `"${one}"`).join(' or ')}.`;
  const hint = kind === 'image_sequence' && convert === undefined ? `Add "convert": { "to": "frames" }. Or: ${offer}` : offer;
  const severity = convert === undefined ? 'warning' : 'error';
  report(context, path, 'TEMPLATE_ASSET_MISFIT', `${what} cannot be loaded as ${kind}.`, { severity, hint });
}
