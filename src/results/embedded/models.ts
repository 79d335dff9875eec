/** Texts of 3D models, safetensors and SVG. */
import { textAt, viewOf } from '../bytes.ts';
import type { ByteSource } from '../bytes.ts';
import { decodeText, readRange } from './texts.ts';
import type { TextPile } from './texts.ts';

/** The JSON chunk comes first (glTF 2.0 4.4.3). */
export async function readGlb(source: ByteSource, pile: TextPile): Promise<void> {
  const head = await source.read(0, 20);
  if (head.length < 20 || textAt(head, 16, 4) !== 'JSON') {
    pile.leaveOut('glTF');
    return;
  }
  const json = await readRange(source, 20, viewOf(head).getUint32(12, true));
  if (json === null) pile.leaveOut('glTF');
  else pile.add('glTF', decodeText(json));
}

/** Eight bytes of length, then a JSON object whose `__metadata__` holds texts. */
export async function readSafetensors(source: ByteSource, pile: TextPile): Promise<void> {
  const head = await source.read(0, 8);
  if (head.length < 8) return;
  const json = await readRange(source, 8, Number(viewOf(head).getBigUint64(0, true)));
  if (json === null) pile.leaveOut('__metadata__');
  else pile.add('__metadata__', decodeText(json));
}

/** ComfyUI writes one JSON object as CDATA into `<metadata>`. */
export async function readSvg(source: ByteSource, pile: TextPile): Promise<void> {
  const bytes = await readRange(source, 0, source.size);
  if (bytes === null) {
    pile.leaveOut('metadata');
    return;
  }
  const text = decodeText(bytes);
  const start = text.indexOf('<metadata');
  const end = start < 0 ? -1 : text.indexOf('</metadata>', start);
  const open = start < 0 ? -1 : text.indexOf('<![CDATA[', start);
  if (end < 0 || open < 0 || open > end) return;
  const close = text.indexOf(']]>', open);
  if (close > 0 && close < end) pile.add('metadata', text.slice(open + '<![CDATA['.length, close).trim());
}
