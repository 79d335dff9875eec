/** Every text that a media file carries beside its pictures and sounds. Bounded in time and memory whatever the file says. */
import { throughWindow } from '../bytes.ts';
import type { ByteSource } from '../bytes.ts';
import { SNIFF_BYTES, sniff } from '../sniff.ts';
import { TABLE } from '../table.ts';
import { createTextPile } from './texts.ts';
import type { EmbeddedText } from './texts.ts';

export interface Embedded {
  readonly mediaType: string;
  /** False for a kind of file that is not looked into. */
  readonly isKnown: boolean;
  readonly texts: readonly EmbeddedText[];
  /** Keys of texts that are damaged, cut short or past the caps. */
  readonly leftOut: readonly string[];
}

/** Never throws for what the file holds; reading it from disk may fail. */
export async function readEmbedded(source: ByteSource): Promise<Embedded> {
  const window = throughWindow(source);
  const { mediaType } = sniff(await window.read(0, SNIFF_BYTES));
  const { read } = TABLE[mediaType];
  const pile = createTextPile();
  await read?.(window, pile);
  return { mediaType, isKnown: read !== undefined, texts: pile.texts, leftOut: pile.leftOut };
}
