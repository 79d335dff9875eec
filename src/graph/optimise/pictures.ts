/** What a graph proves of the pictures on a link: size, how many, channels, and that no value leaves 0 to 1. */
import type { GraphLink } from '../types.ts';
import type { KnownValues } from './constant-values.ts';
import type { Draft, DraftNode } from './draft.ts';
import { isCore } from './known-classes.ts';

export interface Picture {
  readonly width?: number;
  readonly height?: number;
  readonly count?: number;
  readonly channels?: number;
  /** Every value is from 0 to 1. */
  readonly isUnit?: boolean;
}

interface Context {
  readonly node: DraftNode;
  /** A whole number that is known. */
  readonly number: (name: string) => number | undefined;
  readonly word: (name: string) => string | undefined;
  readonly picture: (name: string) => Picture;
}

const NOTHING: Picture = {};
/** A longer chain of nodes that change pictures proves nothing that is worth its time. */
const MAX_DEPTH = 64;

/** By class; a class that is not here proves nothing. All from `nodes.py`, `nodes_images.py` and `nodes_post_processing.py`. */
const CLASSES: ReadonlyMap<string, (context: Context) => Picture> = new Map<string, (context: Context) => Picture>([
  [
    'EmptyImage',
    ({ number }) => {
      const count = number('batch_size');
      return { ...sized(number('width'), number('height')), ...(count === undefined ? {} : { count }), channels: 3, isUnit: true };
    },
  ],
  ['LoadImage', ({ word }) => (/\.jpe?g$/i.test(word('image') ?? '') ? { count: 1, channels: 3, isUnit: true } : NOTHING)],
  ['ImageInvert', ({ picture }) => without(picture('image'), 'channels')],
  ['ImageFlip', ({ picture }) => picture('image')],
  ['ImageScale', scaled],
  ['ImageCrop', cropped],
]);

export function picturesOf(draft: Draft, known: KnownValues): (link: GraphLink) => Picture {
  const found = new Map<string, Picture>();
  const open = new Set<string>();
  const of = ({ node: id, slot }: GraphLink): Picture => {
    if (slot !== 0) return NOTHING;
    const before = found.get(id);
    if (before !== undefined) return before;
    const node = draft.get(id);
    const rule = node === undefined ? undefined : CLASSES.get(node.classType);
    if (node?.nodeClass === undefined || rule === undefined || !isCore(node.nodeClass) || open.has(id) || open.size > MAX_DEPTH)
      return NOTHING;
    open.add(id);
    const picture = rule({
      node,
      number(name) {
        const value = known.input(node, name);
        return value?.type === 'int' ? Number(value.value) : undefined;
      },
      word(name) {
        const written = node.inputs.get(name)?.value;
        return written?.kind === 'string' ? written.value : undefined;
      },
      picture(name) {
        const link = node.inputs.get(name)?.link;
        return link === undefined ? NOTHING : of(link);
      },
    });
    open.delete(id);
    found.set(id, picture);
    return picture;
  };
  return of;
}

// --- helpers ---

function sized(width: number | undefined, height: number | undefined): Pick<Picture, 'width' | 'height'> {
  return width === undefined || height === undefined || width < 1 || height < 1 ? {} : { width, height };
}

function without(picture: Picture, ...names: readonly (keyof Picture)[]): Picture {
  return Object.fromEntries(Object.entries(picture).filter(([name]) => !names.some((other) => other === name)));
}

/** Bicubic and Lanczos overshoot, though Lanczos goes over whole numbers of 8 bits and is cut off there. */
function scaled({ number, word, picture }: Context): Picture {
  const before = picture('image');
  const [width, height] = [number('width'), number('height')];
  const isUnit = before.isUnit === true && word('upscale_method') !== undefined && word('upscale_method') !== 'bicubic';
  const rest: Picture = { ...without(before, 'width', 'height', 'isUnit'), ...(isUnit ? { isUnit } : {}) };
  if (width === 0 && height === 0) return before;
  return { ...rest, ...sized(width, height) };
}

function cropped({ number, picture }: Context): Picture {
  const before = picture('image');
  const [x, y, width, height] = ['x', 'y', 'width', 'height'].map(number);
  const rest = without(before, 'width', 'height');
  if (x === undefined || y === undefined || width === undefined || height === undefined) return rest;
  if (before.width === undefined || before.height === undefined) return rest;
  const [left, top] = [Math.min(x, before.width - 1), Math.min(y, before.height - 1)];
  return { ...rest, ...sized(Math.min(width, before.width - left), Math.min(height, before.height - top)) };
}
