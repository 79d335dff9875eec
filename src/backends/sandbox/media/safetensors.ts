/** Writes and reads latents as ComfyUI keeps them: safetensors with the tensor `latent_tensor` and texts beside it. */
import type { Tag } from './tags.ts';

/** A latent has an eighth of the picture's sides. */
const SCALE = 8;
const CHANNELS = 4;

export interface LatentShape {
  readonly batch: number;
  readonly width: number;
  readonly height: number;
}

/** Zeros: the sandbox has no numbers of a real latent. Sides are those of the picture. */
export function writeLatent({ batch, width, height }: LatentShape, tags: readonly Tag[]): Buffer {
  const shape = [batch, CHANNELS, Math.max(1, Math.floor(height / SCALE)), Math.max(1, Math.floor(width / SCALE))];
  const bytes = shape.reduce((product, side) => product * side, 4);
  const header = {
    __metadata__: Object.fromEntries(tags.map(({ key, text }) => [key, text])),
    latent_tensor: { dtype: 'F32', shape, data_offsets: [0, bytes] },
    latent_format_version_0: { dtype: 'F32', shape: [0], data_offsets: [bytes, bytes] },
  };
  const text = Buffer.from(JSON.stringify(header));
  const padding = Buffer.alloc((8 - (text.length % 8)) % 8, 0x20);
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(text.length + padding.length));
  return Buffer.concat([size, text, padding, Buffer.alloc(bytes)]);
}

/** Throws what a person can read when the file is no latent. */
export function readLatent(file: Buffer): LatentShape & { readonly draft: boolean } {
  const length = file.length < 8 ? 0 : Number(file.readBigUInt64LE(0));
  if (length === 0 || 8 + length > file.length) throw new Error('the file is no latent');
  const header = JSON.parse(file.toString('utf8', 8, 8 + length)) as {
    readonly latent_tensor?: { readonly shape?: readonly number[] };
    readonly __metadata__?: Readonly<Record<string, string>>;
  };
  const [batch, , height, width] = header.latent_tensor?.shape ?? [];
  if (batch === undefined || height === undefined || width === undefined) throw new Error('the file holds no latent_tensor');
  return { batch, width: width * SCALE, height: height * SCALE, draft: header.__metadata__?.['callsheet'] !== undefined };
}
