/** Frames of films: still pictures are key frames, VP8 in a WebP and AV1 in an AVIF, and only have to be taken out of their file. */
import sharp from 'sharp';
import { toBytes } from '../images/codec.ts';
import type { Pixels } from '../images/pixels.ts';

export interface CodedFilm {
  readonly codec: 'vp8' | 'av1';
  readonly width: number;
  readonly height: number;
  /** Each can be decoded on its own. */
  readonly frames: readonly Buffer[];
  /** `av1C`: what a player must know before the first frame. */
  readonly config?: Buffer;
}

/** Fast rather than small; a draft is a flat card. */
const QUALITY = 80;

/** Even sides, as players want them. Frames that are equal are coded once. */
export async function codeFilm(pictures: readonly Pixels[], codec: 'vp8' | 'av1'): Promise<CodedFilm> {
  const [first] = pictures;
  if (first === undefined) throw new Error('a film needs at least one picture');
  const width = first.width + (first.width % 2);
  const height = first.height + (first.height % 2);
  const coded = new Map<string, Buffer>();
  const frames: Buffer[] = [];
  let config: Buffer | undefined;
  for (const picture of pictures) {
    const bytes = toBytes(picture);
    const key = Buffer.from(bytes).toString('latin1');
    let frame = coded.get(key);
    if (frame === undefined) {
      const channels = picture.channels === 4 ? 4 : picture.channels === 1 ? 1 : 3;
      const raw = sharp(bytes, { raw: { width: picture.width, height: picture.height, channels } }).removeAlpha();
      const even = raw.extend({ right: width - picture.width, bottom: height - picture.height, extendWith: 'copy' });
      if (codec === 'vp8') frame = fromWebp(await even.webp({ quality: QUALITY, effort: 0 }).toBuffer());
      else {
        const file = await even.avif({ quality: QUALITY, effort: 0, chromaSubsampling: '4:2:0' }).toBuffer();
        config ??= boxIn(file, 'av1C');
        frame = boxIn(file, 'mdat');
      }
      // Only the last ones are remembered: films repeat what they have just shown.
      if (coded.size > 8) coded.clear();
      coded.set(key, frame);
    }
    frames.push(frame);
  }
  return { codec, width, height, frames, ...(config === undefined ? {} : { config }) };
}

/** The one chunk of a plain lossy WebP. */
function fromWebp(file: Buffer): Buffer {
  if (file.toString('latin1', 12, 16) !== 'VP8 ') throw new Error('the picture was not coded as VP8');
  return file.subarray(20, 20 + file.readUInt32LE(16));
}

/** The content of the first box of this type; our own encoder writes one picture into `mdat` and nothing else. */
function boxIn(file: Buffer, type: string): Buffer {
  const at = file.indexOf(type, 0, 'latin1');
  if (at < 4) throw new Error(`the picture has no ${type}`);
  return file.subarray(at + 4, at - 4 + file.readUInt32BE(at - 4));
}
