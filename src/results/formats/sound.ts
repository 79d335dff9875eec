/** Duration of WAV (RIFF) and FLAC (RFC 9639), and whether a WAV is as long as it says. */
import { textAt, viewOf } from '../bytes.ts';
import type { ByteSource } from '../bytes.ts';
import { faulty, lasting } from './measured.ts';
import type { Measured } from './measured.ts';

const MOST_CHUNKS = 1000;
/** What writers put where they could not go back to write the length. */
const UNKNOWN_LENGTH = 0xff_ff_ff_ff;

export async function measureWav(source: ByteSource): Promise<Measured> {
  let bytesPerSecond = 0;
  let at = 12;
  for (let count = 0; count < MOST_CHUNKS && at + 8 <= source.size; count += 1) {
    const head = await source.read(at, 24);
    const view = viewOf(head);
    const kind = textAt(head, 0, 4);
    const length = view.getUint32(4, true);
    if (kind === 'fmt ' && head.length >= 24) bytesPerSecond = view.getUint32(16, true);
    if (kind === 'data') {
      const isStreamed = length === UNKNOWN_LENGTH || length === 0;
      if (!isStreamed && at + 8 + length > source.size) return faulty('it is shorter than its header says');
      return lasting((isStreamed ? source.size - at - 8 : length) / bytesPerSecond);
    }
    at += 8 + length + (length % 2);
  }
  return faulty('it has no sound in it, it was cut short');
}

export async function measureFlac(source: ByteSource): Promise<Measured> {
  const head = await source.read(0, 42);
  if (head.length < 42) return faulty('its header is cut short');
  if (((head[4] ?? 0) & 0x7f) !== 0) return faulty('its stream information is missing');
  // 20 bits of sample rate, 3 of channels, 5 of depth, 36 of sample count.
  const bits = viewOf(head).getBigUint64(18);
  const rate = Number(bits >> 44n);
  const samples = Number(bits & 0xf_ff_ff_ff_ffn);
  return lasting(samples / rate);
}
