/**
 * Files as they are sent. Of a picture that a step hands on to a node which reads pixels only, these alone are sent: a picture that is made again has
 * the same pixels and other texts (the graph of its attempt), and caches, the server's and ours, know files by their content.
 */
import type { InputFile } from '#backends/contract.ts';
import type { ObjectInfo } from '#graph/object-info.ts';
import { readsPixelsOnly } from '#graph/pixel-readers.ts';
import { type Pixels, pixelsOf } from '#results/pixels.ts';
import type { MediaPlace } from '#templates/render.ts';
import type { MediaValue } from '#templates/types.ts';
import type { RunMemory } from './deps.ts';

export type Sent = (media: MediaValue, place?: MediaPlace) => InputFile;

/** By run and hash: looked for when the item is keyed, and again when it is rendered. */
const known = new WeakMap<RunMemory, Map<string, Promise<Pixels | undefined>>>();

/** Files of users stay as they are, and so does everything where the server does not say what its nodes are. Throws what `infoOf` throws. */
export async function asSent(
  memory: RunMemory,
  wanted: readonly MediaValue[],
  infoOf: () => Promise<ObjectInfo | undefined>,
): Promise<Sent> {
  const own = wanted.filter(({ path, mediaType }) => mediaType === 'image/png' && memory.artifacts.some((one) => one.path === path));
  const info = own.length === 0 ? undefined : await infoOf();
  const pixels = new Map<string, Pixels>();
  for (const { path, sha256 } of info === undefined ? [] : own) {
    const found = await pixelsIn(memory, path, sha256);
    if (found !== undefined) pixels.set(path, found);
  }
  return (media, place) => {
    const { path, sha256, name, mediaType } = media;
    const isPixels = place !== undefined && readsPixelsOnly(info?.classes.get(place.classType), place.input);
    const found = isPixels ? pixels.get(path) : undefined;
    if (found === undefined) return { path, sha256, name, mediaType };
    return { path, sha256: found.sha256, name, mediaType, stretches: found.stretches };
  };
}

// --- helpers ---

/** Undefined as well where it cannot be read: whoever sends it says so. */
function pixelsIn(memory: RunMemory, path: string, sha256: string): Promise<Pixels | undefined> {
  const files = known.get(memory) ?? new Map<string, Promise<Pixels | undefined>>();
  known.set(memory, files);
  const found = files.get(sha256) ?? pixelsOf(path, sha256).catch(() => undefined);
  files.set(sha256, found);
  return found;
}
