/** Takes an animated PNG apart: its frames by ffmpeg, since sharp sees the first only, and their times from the file itself. */
import { mkdir, open, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { bytesOfFile, viewOf } from '../bytes.ts';
import { pngChunks } from '../formats/png.ts';
import { leastMultiple, MOST_FRAMES, type Rhythm, rhythmOf } from './beat.ts';
import { linked } from './linked.ts';
import { apngArgs } from './picture-args.ts';
import { type ConvertRequest, program, refuse } from './request.ts';

/** Into `in/000001.png` … below the working folder; a frame that is shown for longer is there several times. Answers their rate. */
export async function unpackApng(path: string, request: ConvertRequest, folder: string): Promise<{ readonly fps?: number }> {
  const { times, ...rate } = await rhythmIn(path);
  await mkdir(join(folder, 'pages'));
  await program(request, folder, ({ version }) => apngArgs(path, 'pages/%06d.png', version));
  const pages = (await readdir(join(folder, 'pages'))).toSorted();
  if (pages.length !== times.length) refuse(`only ${String(pages.length)} of its ${String(times.length)} frames can be read`);
  if (times.reduce((sum, one) => sum + one, 0) > MOST_FRAMES) refuse(`it has more than ${String(MOST_FRAMES)} frames`);
  let frames = 0;
  for (const [index, page] of pages.entries()) {
    const nth = (n: number) => join(folder, 'in', `${String(frames + n).padStart(6, '0')}.png`);
    const count = times[index] ?? 1;
    await rename(join(folder, 'pages', page), nth(1));
    for (let n = 2; n <= count; n += 1) await linked(nth(1), nth(n));
    frames += count;
  }
  return rate;
}

// --- helpers ---

/** Beyond this, times of different measures are rounded to thousandths. */
const FINEST = 1_000_000;
const CONTROL_BYTES = 26;

/** From its fcTL chunks (https://www.w3.org/TR/png-3/#fcTL-chunk): fractions of a second, in which a denominator of 0 means hundredths. */
async function rhythmIn(path: string): Promise<Rhythm> {
  const handle = await open(path, 'r');
  try {
    const source = bytesOfFile(handle, (await handle.stat()).size);
    const delays: (readonly [number, number])[] = [];
    for await (const { type, at } of pngChunks(source)) {
      if (type !== 'fcTL') continue;
      const control = viewOf(await source.read(at, CONTROL_BYTES));
      if (control.byteLength === CONTROL_BYTES) delays.push([control.getUint16(20), control.getUint16(22) || 100]);
    }
    const common = delays.reduce((so, [, parts]) => (so > FINEST ? so : leastMultiple(so, parts)), 1);
    const perSecond = common > FINEST ? 1000 : common;
    return rhythmOf(
      delays.map(([count, parts]) => Math.round((count * perSecond) / parts)),
      perSecond,
    );
  } finally {
    await handle.close();
  }
}
