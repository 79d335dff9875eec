/** AVIF and HEIC: size, depth and alpha from the image properties (ISO/IEC 23008-12 6.5), wholeness of the outermost boxes; sequences as films. */
import { textAt } from '../bytes.ts';
import type { ByteSource } from '../bytes.ts';
import { boxesIn, contentOf, findBox } from './boxes.ts';
import type { Box } from './boxes.ts';
import { av1Colour } from './codecs.ts';
import { readFilm } from './film.ts';
import { faulty, moving, sized, withFacts } from './measured.ts';
import type { Measured } from './measured.ts';

/** version and flags precede the children of `meta` */
const FULL_BOX = 4;
const ALPHA = 'auxiliary:alpha';

export async function measureAvif(source: ByteSource): Promise<Measured> {
  let meta: Box | null = null;
  let film: Box | null = null;
  let hasData = false;
  for await (const box of boxesIn(source, 0, source.size)) {
    if (!box.isWhole) return faulty('it is shorter than its boxes say');
    if (box.type === 'meta') meta ??= box;
    if (box.type === 'moov') film ??= box;
    if (box.type === 'mdat') hasData = true;
  }
  if (meta === null) return faulty('its header is missing');
  const children = { start: meta.start + FULL_BOX, end: meta.end };
  if (!hasData && (await findBox(source, children, 'idat')) === null) return faulty('its picture is missing, it was cut short');
  const properties = await findBox(source, children, 'iprp');
  const container = properties && (await findBox(source, properties, 'ipco'));
  if (container === null) return faulty('its properties are missing');
  const { width, height, depth, colours, alpha } = await propertiesIn(source, container);
  const sequence = film === null ? undefined : (await readFilm(source, film)).picture;
  const seconds = sequence?.seconds ?? 0;
  const motion = moving(sequence?.frames ?? 0, seconds);
  const channels = colours === undefined ? undefined : colours + (alpha ? 1 : 0);
  const size = sized(width, height, motion.kind === undefined ? undefined : seconds);
  return {
    ...size,
    ...withFacts({ ...motion.found, channels, depth, alpha }),
    ...(motion.kind === undefined ? {} : { kind: motion.kind }),
  };
}

async function propertiesIn(source: ByteSource, container: Box) {
  let width = 0;
  let height = 0;
  let depth: number | undefined;
  let colours: number | undefined;
  let alpha = false;
  for await (const box of boxesIn(source, container.start, container.end)) {
    const view = await contentOf(source, box, 64);
    if (box.type === 'ispe' && view.byteLength >= 12) {
      // Thumbnails and tiles have properties of their own; the picture is the largest.
      if (view.getUint32(4) * view.getUint32(8) > width * height) {
        width = view.getUint32(4);
        height = view.getUint32(8);
      }
    }
    // The picture comes before its alpha, which is an item of one colour.
    if (box.type === 'av1C' && view.byteLength >= 3) {
      const found = av1Colour(view, 0);
      depth ??= found.depth;
      colours = Math.max(colours ?? 0, found.colours);
    }
    if (box.type === 'pixi' && view.byteLength >= 6) {
      depth ??= view.getUint8(5);
      colours = Math.max(colours ?? 0, view.getUint8(4));
    }
    if (box.type === 'auxC') alpha ||= textAt(new Uint8Array(view.buffer, view.byteOffset, view.byteLength), 4, 60).includes(ALPHA);
  }
  return { width, height, depth, colours, alpha };
}
