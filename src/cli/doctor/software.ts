/** The doctor's look at what Callsheet runs on: Node, SQLite, sharp; and at Blender. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { toErrorData } from '#protocol/errors.ts';
import { type Environment, FFMPEG_HINT, findFfmpeg } from '#results/convert/find-ffmpeg.ts';
import { type Finding, finding } from './finding.ts';

const OLDEST_NODE = 24;
/** Up to 3.51.2 a checkpoint could corrupt a WAL database (https://www.sqlite.org/wal.html#walresetbug). */
const OLDEST_SQLITE = '3.51.3';

export function checkNode(version: string): Finding[] {
  const major = Number(version.split('.')[0]);
  if (major >= OLDEST_NODE) return [finding('node', 'ok', `Node ${version}`)];
  return [
    finding('node', 'error', `Node ${version} is too old.`, `Install Node ${OLDEST_NODE} or newer, or run \`npm ci\` in the checkout.`),
  ];
}

/** Both are native modules: they load or they do not. */
export async function checkSqlite(): Promise<Finding[]> {
  const { default: Database } = await import('better-sqlite3');
  const db = new Database(':memory:');
  try {
    const version = String(db.prepare('SELECT sqlite_version()').pluck().get());
    const fits = version.localeCompare(OLDEST_SQLITE, undefined, { numeric: true }) >= 0;
    if (fits) return [finding('sqlite', 'ok', `SQLite ${version}`)];
    return [finding('sqlite', 'error', `SQLite ${version} can damage the database.`, `${OLDEST_SQLITE} or newer is needed: npm ci`)];
  } finally {
    db.close();
  }
}

export async function checkSharp(): Promise<Finding[]> {
  const { default: sharp } = await import('sharp');
  await sharp({ create: { width: 2, height: 2, channels: 3, background: 'black' } })
    .png()
    .toBuffer();
  return [finding('sharp', 'ok', `sharp ${sharp.versions.sharp ?? ''} (libvips ${sharp.versions.vips})`.replace('  ', ' '))];
}

/** Only outputs that are converted to films, sounds, frames or OpenEXR need it. */
export async function checkFfmpeg(env: Environment): Promise<Finding[]> {
  try {
    const { path, version, encoders } = await findFfmpeg(env);
    const lacking = ['libx264', 'libvpx-vp9', 'libmp3lame'].filter((name) => !encoders.has(name));
    if (lacking.length === 0) return [finding('ffmpeg', 'ok', `ffmpeg ${version} at ${path}`)];
    const hint = 'Films and sounds of some kinds are made by other encoders, or not at all. A full build of ffmpeg has them.';
    return [finding('ffmpeg', 'warning', `ffmpeg ${version} at ${path} lacks ${lacking.join(', ')}.`, hint)];
  } catch (error) {
    const { message, hint = FFMPEG_HINT } = toErrorData(error);
    const isNamed = (env['CALLSHEET_FFMPEG'] ?? '') !== '';
    return [
      finding('ffmpeg', isNamed ? 'warning' : 'info', `${message[0]?.toUpperCase() ?? ''}${message.slice(1)}.`.replace('..', '.'), hint),
    ];
  }
}

/** Good to know only: Callsheet needs Blender for nothing. */
export function checkBlender(path: string): Finding[] {
  const names = process.platform === 'win32' ? ['blender.exe'] : ['blender'];
  const places = path.split(delimiter).filter((folder) => folder !== '');
  const found = places.flatMap((folder) => names.map((name) => join(folder, name))).find(isExecutable);
  if (found !== undefined) return [finding('blender', 'ok', `Blender at ${found}`)];
  return [finding('blender', 'info', 'No Blender on PATH.', 'Nothing to do unless Blender is meant to be found by name.')];
}

// --- helpers ---

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
