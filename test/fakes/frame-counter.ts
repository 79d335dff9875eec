/** Counts the frames of one WebSocket as a server sends them (RFC 6455, 5.2: never masked), however the bytes are cut into pieces. */

export interface FrameCounter {
  /** Takes the next bytes; gives where in them the `wanted`th frame begins, undefined when it does not or nothing is wanted. */
  until(chunk: Buffer, wanted: number | undefined): number | undefined;
}

export function createFrameCounter(): FrameCounter {
  let frames = 0;
  /** Bytes of the current frame, or of the head of the handshake, that are still to come. */
  let left = 0;
  let header: number[] = [];
  let handshake = '';
  let open = false;

  return {
    until(chunk, wanted) {
      let at = 0;
      while (at < chunk.length) {
        if (!open) {
          handshake = `${handshake}${String.fromCharCode(chunk[at] ?? 0)}`.slice(-4);
          at += 1;
          open = handshake === '\r\n\r\n';
          continue;
        }
        if (left > 0) {
          const step = Math.min(left, chunk.length - at);
          left -= step;
          at += step;
          continue;
        }
        if (header.length === 0) {
          frames += 1;
          if (frames === wanted) return at;
        }
        header.push(chunk[at] ?? 0);
        at += 1;
        const size = sizeOf(header);
        if (size === undefined) continue;
        left = size;
        header = [];
      }
      return undefined;
    },
  };
}

/** Bytes of the payload once the header is whole. */
function sizeOf([, length = -1, ...extended]: readonly number[]): number | undefined {
  const short = length & 0x7f;
  if (length === -1) return undefined;
  if (short < 126) return short;
  const wanted = short === 126 ? 2 : 8;
  return extended.length < wanted ? undefined : extended.reduce((sum, byte) => sum * 256 + byte, 0);
}
