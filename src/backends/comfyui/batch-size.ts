/** How many pictures flow along a link, where the graph alone proves it: core classes whose batch is a constant or that of one input. */
import type { Graph, GraphNode } from '#graph/types.ts';

type Rule =
  /** As many as this input says as a constant. */
  | { readonly constant: string }
  | { readonly same: string }
  | { readonly sum: readonly [string, string] }
  | { readonly times: readonly [string, string] }
  /** All of these agree. */
  | { readonly equal: readonly [string, string] }
  /** One, if the file that this input names holds one picture. */
  | { readonly still: string };

const same = (input: string, ...classes: readonly string[]): [string, Rule][] => classes.map((name) => [name, { same: input }]);
const constant = (...classes: readonly string[]): [string, Rule][] => classes.map((name) => [name, { constant: 'batch_size' }]);

/** Classes of other packs, and those that cut, pad or interpolate batches, are left out on purpose: what is not here proves nothing. */
const RULES: ReadonlyMap<string, Rule> = new Map([
  ...constant('EmptyImage', 'EmptyLatentImage', 'EmptySD3LatentImage'),
  ...same('latent_image', 'KSampler', 'KSamplerAdvanced', 'SamplerCustom', 'SamplerCustomAdvanced'),
  ...same('samples', 'VAEDecode', 'VAEDecodeTiled', 'LatentUpscale', 'LatentUpscaleBy', 'SetLatentNoiseMask', 'LatentFlip', 'LatentRotate'),
  ...same('pixels', 'VAEEncode', 'VAEEncodeForInpaint', 'VAEEncodeTiled'),
  ...same('image', 'ImageScale', 'ImageScaleBy', 'ImageScaleToTotalPixels', 'ImageInvert', 'ImageBlur', 'ImageSharpen', 'ImageQuantize'),
  ...same('image', 'ImageCrop', 'SplitImageWithAlpha', 'ImagePadForOutpaint', 'ImageUpscaleWithModel'),
  ...same('destination', 'ImageCompositeMasked'),
  ['ImageBatch', { sum: ['image1', 'image2'] }],
  ['ImageBlend', { equal: ['image1', 'image2'] }],
  ['RepeatLatentBatch', { times: ['samples', 'amount'] }],
  ['RepeatImageBatch', { times: ['image', 'amount'] }],
  ['LoadImage', { still: 'image' }],
]);

/** Deeper than any chain that is worth proving; a circle ends here too. */
const MAX_DEPTH = 200;

/** `isStill` says whether an input file of this name is known to hold exactly one picture. Undefined: not provable. */
export async function batchSize(
  graph: Graph,
  node: GraphNode,
  input: string,
  isStill: (name: string) => Promise<boolean>,
  depth = 0,
): Promise<number | undefined> {
  const source = graph.nodes.get(node.inputs.get(input)?.link?.node ?? '');
  const rule = source === undefined ? undefined : RULES.get(source.classType);
  if (source === undefined || rule === undefined || depth > MAX_DEPTH) return undefined;
  const along = (name: string): Promise<number | undefined> => batchSize(graph, source, name, isStill, depth + 1);
  if ('constant' in rule) return wholeNumber(source, rule.constant);
  if ('same' in rule) return along(rule.same);
  if ('still' in rule) {
    const name = source.inputs.get(rule.still)?.value;
    return name?.kind === 'string' && (await isStill(name.value)) ? 1 : undefined;
  }
  if ('times' in rule) return combine(await along(rule.times[0]), wholeNumber(source, rule.times[1]), (a, b) => a * b);
  const [first, second] = 'sum' in rule ? rule.sum : rule.equal;
  const sizes = [await along(first), await along(second)] as const;
  if ('sum' in rule) return combine(...sizes, (a, b) => a + b);
  return sizes[0] === sizes[1] ? sizes[0] : undefined;
}

function combine(a: number | undefined, b: number | undefined, how: (a: number, b: number) => number): number | undefined {
  return a === undefined || b === undefined ? undefined : how(a, b);
}

function wholeNumber(node: GraphNode, input: string): number | undefined {
  const value = node.inputs.get(input)?.value;
  const number = value?.kind === 'number' ? Number(value.raw) : Number.NaN;
  return Number.isInteger(number) && number > 0 ? number : undefined;
}
