/** AVIF: size from the largest image property (ISO/IEC 23008-12 6.5.3), wholeness of the outermost boxes. */
import type { ByteSource } from '../bytes.ts';
import { boxesIn, contentOf, findBox } from './boxes.ts';
import type { Box } from './boxes.ts';
import { faulty, sized } from './measured.ts';
import type { Measured } from './measured.ts';

/** version and flags precede the children of `meta` */
const FULL_BOX = 4;

export async function measureAvif(source: ByteSource): Promise<Measured> {
  let meta: Box | null = null;
  let hasData = false;
  for await (const box of boxesIn(source, 0, source.size)) {
    if (!box.isWhole) return faulty('it is shorter than its boxes say');
    if (box.type === 'meta') meta ??= box;
    if (box.type === 'mdat') hasData = true;
  }
  if (meta === null) return faulty('its header is missing');
  const children = { start: meta.start + FULL_BOX, end: meta.end };
  if (!hasData && (await findBox(source, children, 'idat')) === null) return faulty('its picture is missing, it was cut short');
  const properties = await findBox(source, children, 'iprp');
  const container = properties && (await findBox(source, properties, 'ipco'));
  if (container === null) return faulty('its properties are missing');
  let width = 0;
  let height = 0;
  for await (const box of boxesIn(source, container.start, container.end)) {
    if (box.type !== 'ispe') continue;
    const view = await contentOf(source, box, 12);
    if (view.byteLength < 12) continue;
    // Thumbnails and tiles have properties of their own; the picture is the largest.
    if (view.getUint32(4) * view.getUint32(8) > width * height) {
      width = view.getUint32(4);
      height = view.getUint32(8);
    }
  }
  return sized(width, height);
}
