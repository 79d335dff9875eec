/** Reads a cost model: what loading, sampling and the rest cost on one machine, from a JSON file of figures with their sources. */
import { readFileSync } from 'node:fs';
import { CallsheetError } from '#protocol/errors.ts';
import { isRecord, type Json, readJson } from '../json.ts';

export const ENCODERS = ['clip', 't5', 'umt5'] as const;
export type Encoder = (typeof ENCODERS)[number];

export interface Family {
  readonly name: string;
  readonly stepSeconds: number;
  /** Width × height × frames that `stepSeconds` is for; other sizes in proportion. */
  readonly referencePixels: number;
  /** The figure has a pass for the negative prompt, which falls away at cfg 1. */
  readonly twoPasses: boolean;
  /** Longer by this with one ControlNet. */
  readonly controlFactor: number;
}

/** What is known of model files with a like name. Parts of a checkpoint go onto the card by themselves. */
export interface FileRule {
  readonly folder: string;
  readonly match: RegExp;
  readonly bytes: number;
  readonly family?: string;
  readonly encoder?: Encoder;
  readonly diffusion?: number;
  readonly text?: number;
  readonly vae?: number;
}

/** One profile of a cost model, with nothing left but numbers. Seconds, bytes, and megapixels of a million pixels. */
export interface Prices {
  readonly profile: string;
  /** For people. */
  readonly title: string;
  /** For weights: what is kept free for the work is off already. */
  readonly vramBytes: number;
  readonly ramBytes: number;
  readonly readBytesPerSecond: number;
  readonly transferBytesPerSecond: number;
  readonly families: ReadonlyMap<string, Family>;
  readonly files: readonly FileRule[];
  readonly decodePerMegapixel: number;
  readonly encodePerMegapixel: number;
  readonly textSeconds: Readonly<Record<Encoder, number>>;
  readonly clipVisionSeconds: number;
  readonly upscalePerMegapixel: number;
  readonly preprocessSeconds: number;
  readonly pngEncodePerMegapixel: number;
  readonly pngDecodePerMegapixel: number;
  readonly pixelPerMegapixel: number;
  readonly cfgOneFactor: number;
  readonly ipAdapterFactor: number;
  readonly secondOrderFactor: number;
  readonly secondOrderSamplers: ReadonlySet<string>;
}

/** Throws CallsheetError INVALID_PARAMS with the file's name and what is wrong; the first profile when none is named. */
export function loadPrices(file: string, profile?: string): Prices {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw refuse(
      `The cost model ${file} could not be read: ${error instanceof Error ? error.message : String(error)}`,
      'Give the path of a file.',
    );
  }
  return readPrices(readJson(text), profile, file);
}

export function readPrices(value: Json | undefined, wanted?: string, file = 'given'): Prices {
  const read = reader(value, file);
  if (read.number('format') !== 1)
    throw refuse(`The cost model ${file} has a format other than 1.`, 'Use one that came with this release.');
  const names = read.keys('profiles');
  const profile = wanted ?? names[0] ?? '';
  if (!names.includes(profile)) throw refuse(`The cost model ${file} has no profile "${profile}".`, `It has ${names.join(', ')}.`);
  const own = `profiles/${profile}`;
  const title = read.at(`${own}/title`);
  const decodePerMegapixel = read.figure(`${own}/decodeSecondsPerMegapixel`);
  const families = read.keys('families').map((name): [string, Family] => [
    name,
    {
      name,
      stepSeconds: read.figure(`${own}/stepSeconds/${name}`),
      referencePixels: read.number(`families/${name}/referencePixels`),
      twoPasses: read.at(`families/${name}/twoPasses`) === true,
      controlFactor: read.figure(`families/${name}/controlFactor`),
    },
  ]);
  return {
    profile,
    title: typeof title === 'string' ? title : profile,
    vramBytes: read.figure(`${own}/vramBytes`) - read.figure('rules/reservedVramBytes'),
    ramBytes: read.figure(`${own}/ramBytes`) - read.figure('rules/reservedRamBytes'),
    readBytesPerSecond: read.figure(`${own}/readBytesPerSecond`),
    transferBytesPerSecond: read.figure(`${own}/transferBytesPerSecond`),
    families: new Map(families),
    files: read.list('files').map((rule, index) => readRule(rule, read.within(`files/${index}`))),
    decodePerMegapixel,
    encodePerMegapixel: decodePerMegapixel * read.figure('rules/decodeToEncode'),
    textSeconds: {
      clip: read.figure(`${own}/textSeconds/clip`),
      t5: read.figure(`${own}/textSeconds/t5`),
      umt5: read.figure(`${own}/textSeconds/umt5`),
    },
    clipVisionSeconds: read.figure(`${own}/clipVisionSeconds`),
    upscalePerMegapixel: read.figure(`${own}/upscaleSecondsPerMegapixel`),
    preprocessSeconds: read.figure(`${own}/preprocessSeconds`),
    pngEncodePerMegapixel: read.figure('rules/pngEncodeSecondsPerMegapixel'),
    pngDecodePerMegapixel: read.figure('rules/pngDecodeSecondsPerMegapixel'),
    pixelPerMegapixel: read.figure('rules/pixelSecondsPerMegapixel'),
    cfgOneFactor: read.figure('rules/cfgOneFactor'),
    ipAdapterFactor: read.figure('rules/ipAdapterFactor'),
    secondOrderFactor: read.figure('rules/samplerFactor'),
    secondOrderSamplers: new Set(read.list('rules/samplerFactor/samplers').map(String)),
  };
}

function readRule(rule: Json, fail: (name: string) => CallsheetError): FileRule {
  const { folder, match, bytes, family, encoder, diffusion, text, vae } = isRecord(rule) ? rule : {};
  if (typeof folder !== 'string') throw fail('folder');
  if (typeof match !== 'string') throw fail('match');
  if (typeof bytes !== 'number') throw fail('bytes');
  const kind = ENCODERS.find((one) => one === encoder);
  return {
    folder,
    match: new RegExp(match, 'i'),
    bytes,
    ...(typeof family === 'string' ? { family } : {}),
    ...(kind === undefined ? {} : { encoder: kind }),
    ...(typeof diffusion === 'number' ? { diffusion } : {}),
    ...(typeof text === 'number' ? { text } : {}),
    ...(typeof vae === 'number' ? { vae } : {}),
  };
}

/** Looks things up by paths of keys and throws with the path of what is missing. */
function reader(root: Json | undefined, file: string) {
  const fail = (path: string): CallsheetError =>
    refuse(`The cost model ${file} lacks a figure at ${path}.`, 'bench/optimiser/cost-model.json shows the form.');
  const at = (path: string): Json | undefined => {
    let found: Json | undefined = root;
    for (const key of path.split('/')) found = isRecord(found) ? found[key] : undefined;
    return found;
  };
  const number = (path: string): number => {
    const found = at(path);
    if (typeof found !== 'number' || !(found >= 0)) throw fail(path);
    return found;
  };
  return {
    at,
    number,
    figure: (path: string) => number(`${path}/value`),
    keys(path: string): string[] {
      const found = at(path);
      if (!isRecord(found)) throw fail(path);
      return Object.keys(found);
    },
    list(path: string): Json[] {
      const found = at(path);
      if (!Array.isArray(found)) throw fail(path);
      return found;
    },
    within: (path: string) => (name: string) => fail(`${path}/${name}`),
  };
}

function refuse(message: string, hint: string): CallsheetError {
  return new CallsheetError('INVALID_PARAMS', message, { hint });
}
