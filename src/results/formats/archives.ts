/** Files whose directory stands at their end: ZIP (and USDZ, which is one) and binary USD. */
import { textAt, viewOf } from '../bytes.ts';
import type { ByteSource } from '../bytes.ts';
import { faulty } from './measured.ts';
import type { Measured } from './measured.ts';

/** The end record and the longest comment after it (APPNOTE 4.3.16). */
const TAIL = 22 + 65_535;
const END = 'PK\x05\x06';
/** What stands in place of numbers that only ZIP64's own record holds. */
const ELSEWHERE = 0xff_ff_ff_ff;

export async function measureZip(source: ByteSource): Promise<Measured> {
  const start = Math.max(0, source.size - TAIL);
  const bytes = await source.read(start, TAIL);
  const at = Buffer.from(bytes).lastIndexOf(END, undefined, 'latin1');
  if (at < 0 || at + 22 > bytes.length) return faulty('its directory is missing, it was cut short');
  const view = viewOf(bytes);
  const [length, place] = [view.getUint32(at + 12, true), view.getUint32(at + 16, true)];
  const isElsewhere = length === ELSEWHERE || place === ELSEWHERE;
  return isElsewhere || place + length <= start + at ? {} : faulty('its directory is damaged');
}

/** A text needs nothing; the binary form says where its table of contents lies (https://openusd.org/release/glossary.html#crate-file-format). */
export async function measureUsd(source: ByteSource): Promise<Measured> {
  const head = await source.read(0, 24);
  if (textAt(head, 0, 8) !== 'PXR-USDC') return {};
  const isInside = head.length === 24 && Number(viewOf(head).getBigUint64(16, true)) < source.size;
  return isInside ? {} : faulty('its table of contents is missing, it was cut short');
}
