/** Texts of 3D models, safetensors and SVG. */
import { textAt, viewOf } from '../bytes.ts';
import type { ByteSource } from '../bytes.ts';
import { decodeText, LONGEST_TEXT, readRange } from './texts.ts';
import type { TextPile } from './texts.ts';

/** The JSON chunk comes first (glTF 2.0 4.4.3). */
export async function readGlb(source: ByteSource, pile: TextPile): Promise<void> {
  const head = await source.read(0, 64);
  const isSound = head.length >= 20 && textAt(head, 16, 4) === 'JSON';
  const json = isSound ? await readRange(source, 20, viewOf(head).getUint32(12, true)) : await strayObject(source, textAt(head, 0, 64));
  if (json === null) pile.leaveOut('glTF');
  else pile.add('glTF', decodeText(json));
}

/** Copies that some program took for text and re-encoded have longer lengths than they say; the JSON in them is whole. */
async function strayObject(source: ByteSource, head: string): Promise<Uint8Array | null> {
  const start = head.indexOf('JSON{') + 4;
  const bytes = start < 4 ? null : await readRange(source, start, Math.min(source.size - start, LONGEST_TEXT));
  if (bytes === null) return null;
  let depth = 0;
  let isText = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (isText && byte === BACKSLASH) at += 1;
    else if (byte === QUOTE) isText = !isText;
    else if (!isText && byte === OPEN) depth += 1;
    else if (!isText && byte === CLOSE) {
      depth -= 1;
      if (depth === 0) return bytes.subarray(0, at + 1);
    }
  }
  return null;
}

const [BACKSLASH, QUOTE, OPEN, CLOSE] = [0x5c, 0x22, 0x7b, 0x7d];

/** The text is the file itself: a glTF scene, or what a pack saved as JSON. */
export async function readJson(source: ByteSource, pile: TextPile): Promise<void> {
  const bytes = await readRange(source, 0, source.size);
  if (bytes === null) pile.leaveOut('json');
  else pile.add('json', decodeText(bytes));
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
