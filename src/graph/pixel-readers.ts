/** Nodes of ComfyUI's own that read the pixels of a file and nothing else of it. Pure. */
import type { NodeClass } from './node-classes.ts';
import { isCore } from './optimise/known-classes.ts';

/** `load_image` of each (nodes.py): Pillow opens the file, and what goes on are colours and alpha of its frames. */
const IMAGE_OF = new Set(['LoadImage', 'LoadImageMask', 'LoadImageOutput']);

/** A class of a pack that goes by one of these names counts as the pack's: it may read what is written into the file. */
export function readsPixelsOnly(nodeClass: NodeClass | undefined, input: string): boolean {
  return nodeClass !== undefined && input === 'image' && IMAGE_OF.has(nodeClass.name) && isCore(nodeClass);
}
