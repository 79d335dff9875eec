/** Names that Blender takes for what it loads: short enough, never empty, and unique among the assets of a run. Pure. */

/** Bytes of UTF-8 that a name of a data-block may have, up to Blender 4; longer ones are cut in the middle of nothing. */
const LONGEST = 63;
/** Room for a number: `-12345`. */
const ROOM = 6;

/** Without control characters, and without the spaces and the slashes at its ends that nobody sees. */
export function assetName(text: string, otherwise: string): string {
  const clean = text
    .normalize('NFC')
    .replaceAll(/\p{C}+/gu, ' ')
    .replaceAll(/\s+/gu, ' ')
    .trim();
  return cut(clean === '' ? otherwise : clean, LONGEST);
}

/** `shots/hero` stands for a collection in another; what is empty between slashes is left out. Undefined when nothing is left. */
export function collectionName(text: string): string | undefined {
  const parts = text
    .split('/')
    .map((part) => assetName(part, ''))
    .filter((part) => part !== '');
  return parts.length === 0 ? undefined : parts.join('/');
}

/** The second of a name gets `-2`, the third `-3` …, never one that another has of its own. */
export function uniqueNames(names: readonly string[]): readonly string[] {
  const own = new Set(names);
  const taken = new Set<string>();
  return names.map((name) => {
    let unique = name;
    for (let number = 2; taken.has(unique) || (unique !== name && own.has(unique)); number += 1)
      unique = `${cut(name, LONGEST - ROOM)}-${String(number)}`;
    taken.add(unique);
    return unique;
  });
}

// --- helpers ---

function cut(text: string, most: number): string {
  let bytes = 0;
  let kept = '';
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > most) break;
    kept += character;
  }
  return kept.trimEnd();
}
