/** 3D files and tensors that declare their own length: binary glTF (specification 2.0, section 4.4.1), PLY, STL and safetensors. */
import { READ_LIMIT, textAt, viewOf } from '../bytes.ts';
import type { ByteSource } from '../bytes.ts';
import { faulty } from './measured.ts';
import type { Measured } from './measured.ts';

export async function measureGlb(source: ByteSource): Promise<Measured> {
  const head = await source.read(0, 12);
  if (head.length < 12) return faulty('its header is cut short');
  return viewOf(head).getUint32(8, true) > source.size ? faulty('it is shorter than its header says') : {};
}

/** The header is JSON that gives each tensor's place (https://github.com/huggingface/safetensors#format). A latent is one of ComfyUI's. */
export async function measureSafetensors(source: ByteSource): Promise<Measured> {
  const head = await source.read(0, 8);
  if (head.length < 8) return faulty('its header is cut short');
  const headerLength = Number(viewOf(head).getBigUint64(0, true));
  let needed = 8 + headerLength;
  let isLatent = false;
  if (needed <= source.size && headerLength <= READ_LIMIT) {
    const header = textAt(await source.read(8, headerLength), 0, headerLength);
    let last = 0;
    for (const [, end] of header.matchAll(/"data_offsets"\s{0,9}:\s{0,9}\[\s{0,9}\d{1,18}\s{0,9},\s{0,9}(\d{1,18})\s{0,9}\]/g))
      last = Math.max(last, Number(end));
    needed += last;
    isLatent = header.includes('"latent_tensor"');
  }
  if (needed > source.size) return faulty('it is shorter than its header says');
  return isLatent ? { kind: 'latent', mediaType: 'application/x-comfy-latent' } : {};
}

/** 80 bytes of anything, the number of triangles, 50 bytes each. A text of the same format says when it ends. */
export async function measureStl(source: ByteSource): Promise<Measured> {
  if (await isBinaryStl(source)) return {};
  const tail = await source.read(Math.max(0, source.size - 512), 512);
  return /endsolid\b/.test(textAt(tail, 0, tail.length)) ? {} : faulty('its end is missing, it was cut short');
}

export async function isBinaryStl(source: ByteSource): Promise<boolean> {
  const view = viewOf(await source.read(0, 84));
  return view.byteLength === 84 && view.getUint32(80, true) > 0 && 84 + 50 * view.getUint32(80, true) === source.size;
}

const PLY_BYTES: Readonly<Record<string, number>> = { char: 1, uchar: 1, int8: 1, uint8: 1, short: 2, ushort: 2, int16: 2, uint16: 2 };
const PLY_LONG: Readonly<Record<string, number>> = { int: 4, uint: 4, float: 4, int32: 4, uint32: 4, float32: 4, double: 8, float64: 8 };
const LONGEST_HEADER = 256 * 1024;

/** Elements without lists have a fixed length, so that at least so much must follow the header; Gaussian splats have no lists at all. */
export async function measurePly(source: ByteSource): Promise<Measured> {
  const bytes = await source.read(0, LONGEST_HEADER);
  const text = textAt(bytes, 0, bytes.length);
  const mark = /\nend_header\r?\n/.exec(text);
  if (mark === null) return faulty('its header is cut short');
  if (!/\nformat binary_/.test(text.slice(0, mark.index + 1))) return {};
  let needed = mark.index + mark[0].length;
  let count = 0;
  for (const line of text.slice(0, mark.index).split(/\r?\n/)) {
    const [word, type = '', name = ''] = line.trim().split(/\s+/);
    if (word === 'element') count = Number(name);
    if (word === 'property' && type !== 'list') needed += count * (PLY_BYTES[type] ?? PLY_LONG[type] ?? 0);
    // At least the byte or more that says how long each list is.
    if (word === 'property' && type === 'list') needed += count * (PLY_BYTES[name] ?? PLY_LONG[name] ?? 1);
  }
  return needed > source.size ? faulty('it is shorter than its header says') : {};
}
