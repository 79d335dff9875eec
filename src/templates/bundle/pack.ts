/** Packs files into a zip whose bytes depend on the files alone: no clock, no owner, no order of a directory, no version of a system's zlib. */
import { zipSync } from 'fflate';
import type { Zippable } from 'fflate';
import { extensionOf } from './limits.ts';

/** Zip's own earliest date; local time on purpose, because zip dates are. */
const EPOCH = new Date(1980, 0, 1);
const TEXTS = new Set(['json', 'md', 'txt', '']);

/** template.json first, then by name. */
export function packBundle(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const zippable: Zippable = {};
  const names = [...files.keys()].toSorted((a, b) => Number(b === 'template.json') - Number(a === 'template.json') || (a < b ? -1 : 1));
  for (const name of names) {
    const bytes = files.get(name) ?? new Uint8Array();
    // Media are compressed already. os 3: attributes are Unix modes; a regular file, read and write for its owner.
    zippable[name] = [bytes, { level: TEXTS.has(extensionOf(name)) ? 9 : 0, mtime: EPOCH, os: 3, attrs: 0o100644 << 16 }];
  }
  return zipSync(zippable);
}
