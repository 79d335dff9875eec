/** Files that declare their own length: binary glTF (specification 2.0, section 4.4.1) and safetensors. */
import { READ_LIMIT, textAt, viewOf } from '../bytes.ts';
import type { ByteSource } from '../bytes.ts';
import { faulty } from './measured.ts';
import type { Measured } from './measured.ts';

export async function measureGlb(source: ByteSource): Promise<Measured> {
  const head = await source.read(0, 12);
  if (head.length < 12) return faulty('its header is cut short');
  return viewOf(head).getUint32(8, true) > source.size ? faulty('it is shorter than its header says') : {};
}

/** The header is JSON that gives each tensor's place (https://github.com/huggingface/safetensors#format). */
export async function measureSafetensors(source: ByteSource): Promise<Measured> {
  const head = await source.read(0, 8);
  if (head.length < 8) return faulty('its header is cut short');
  const headerLength = Number(viewOf(head).getBigUint64(0, true));
  let needed = 8 + headerLength;
  if (needed <= source.size && headerLength <= READ_LIMIT) {
    const header = await source.read(8, headerLength);
    let last = 0;
    for (const [, end] of textAt(header, 0, headerLength).matchAll(/"data_offsets"\s*:\s*\[\s*\d+\s*,\s*(\d+)\s*\]/g))
      last = Math.max(last, Number(end));
    needed += last;
  }
  return needed > source.size ? faulty('it is shorter than its header says') : {};
}
