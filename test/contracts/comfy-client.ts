/** The least of a ComfyUI client: upload, run to the end, read the pixels. */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import sharp from 'sharp';
import type { TestGraph } from '../backends/sandbox/graphs.ts';

export interface Raster {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: Uint8Array;
}

interface FileEntry {
  filename: string;
  subfolder: string;
  type: string;
}
interface Entry {
  outputs: Record<string, { images?: FileEntry[] }>;
  status: { status_str: string; messages: unknown[] };
}

export async function upload(url: string, name: string, bytes: Buffer): Promise<void> {
  const form = new FormData();
  form.append('image', new Blob([new Uint8Array(bytes)]), name);
  form.append('overwrite', 'true');
  const response = await fetch(`${url}/upload/image`, { method: 'POST', body: form });
  if (!response.ok) throw new Error(`upload: HTTP ${response.status}`);
}

/** Asks the history until the prompt is there; throws when it was refused or failed. */
export async function runToEnd(url: string, prompt: TestGraph): Promise<Entry> {
  const response = await fetch(`${url}/prompt`, { method: 'POST', body: JSON.stringify({ prompt, client_id: 'callsheet-pixels' }) });
  const text = await response.text();
  if (!response.ok) throw new Error(`POST /prompt: HTTP ${response.status} ${text}`);
  const { prompt_id: id } = JSON.parse(text) as { prompt_id: string };
  for (;;) {
    const history = (await (await fetch(`${url}/history/${id}`)).json()) as Record<string, Entry>;
    const entry = history[id];
    if (entry?.status.status_str === 'error') throw new Error(JSON.stringify(entry.status.messages));
    if (entry !== undefined) return entry;
    await sleep(20);
  }
}

/** The first file of a node, as it was saved. */
export async function fetchPicture(url: string, entry: Entry, node: string): Promise<Buffer> {
  const [file] = entry.outputs[node]?.images ?? [];
  if (file === undefined) throw new Error(`Node ${node} saved nothing.`);
  return fetchFile(url, file);
}

export async function picturesOf(url: string, entry: Entry, node: string): Promise<Raster[]> {
  const rasters: Raster[] = [];
  for (const file of (entry.outputs[node]?.images ?? []).filter((one) => !isFilm(one))) {
    const { data, info } = await sharp(await fetchFile(url, file))
      .raw()
      .toBuffer({ resolveWithObject: true });
    rasters.push({ width: info.width, height: info.height, channels: info.channels, data });
  }
  return rasters;
}

/** The hash of each picture and each piece of sound of a node's films, as ffmpeg decodes them: what is written into the file does not count. */
export async function filmsOf(url: string, entry: Entry, node: string, ffmpeg: string): Promise<string[]> {
  const films: string[] = [];
  for (const file of (entry.outputs[node]?.images ?? []).filter(isFilm)) {
    const decoded = promisify(execFile)(ffmpeg, ['-v', 'error', '-i', 'pipe:0', '-map', '0', '-f', 'framemd5', '-']);
    decoded.child.stdin?.end(await fetchFile(url, file));
    films.push((await decoded).stdout);
  }
  return films;
}

const isFilm = ({ filename }: FileEntry): boolean => /\.(?:mp4|webm)$/.test(filename);

async function fetchFile(url: string, { filename, subfolder, type }: FileEntry): Promise<Buffer> {
  const query = new URLSearchParams({ filename, subfolder, type });
  return Buffer.from(await (await fetch(`${url}/view?${query.toString()}`)).arrayBuffer());
}

/** The largest difference of any channel of any pixel, in levels of 255; Infinity when the sizes differ. */
export function largestDifference(one: Raster | undefined, two: Raster | undefined): number {
  if (one === undefined || two === undefined || one.width !== two.width || one.height !== two.height || one.channels !== two.channels)
    return Infinity;
  let largest = 0;
  for (let index = 0; index < one.data.length; index++)
    largest = Math.max(largest, Math.abs((one.data[index] ?? 0) - (two.data[index] ?? 0)));
  return largest;
}
