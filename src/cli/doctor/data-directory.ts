/** The doctor's look at the data directory: can it be written, is there room, who holds it. */
import { access, constants, mkdtemp, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DaemonStatus } from '#protocol/methods/system.ts';
import { findRuntime } from '#daemon/runtime-file.ts';
import { errorCode } from '../error-code.ts';
import { formatBytes, formatTime } from '../format.ts';
import type { Io } from '../io.ts';
import { connectToRunning } from '../session.ts';
import { type Finding, finding } from './finding.ts';

/** Below these the disk is named: a picture is some MB, a video some hundred. */
const LOW_BYTES = 5e9;
const FULL_BYTES = 200e6;
const MORE_ROOM = 'Free some space, or name a directory on another disk: --data DIR.';
/** As much as a commit of the database writes: an empty file says nothing of a full disk. */
const TRIED_BYTES = 65_536;

export async function checkDataDirectory(dataDir: string): Promise<Finding[]> {
  const found = await stat(dataDir).catch(() => undefined);
  if (found !== undefined && !found.isDirectory()) {
    return [finding('data', 'error', `${dataDir} is not a directory.`, 'Name another one: --data DIR or CALLSHEET_DATA.')];
  }
  const place = found === undefined ? await nearestExisting(dataDir) : dataDir;
  const hint = `Give yourself the right to write there, or name another: --data DIR or CALLSHEET_DATA.`;
  try {
    await access(place, constants.W_OK | constants.X_OK);
    // Rights can say yes where a read-only file system, or a full one, says no.
    await tryToWrite(place);
  } catch (error) {
    const code = errorCode(error);
    const isFull = code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG';
    return [finding('data', 'error', `${place} can not be written (${code}).`, isFull ? MORE_ROOM : hint)];
  }
  const text = found === undefined ? `${dataDir} will be made by the first start` : `${dataDir} can be written`;
  return [finding('data', 'ok', text)];
}

export async function checkDisk(dataDir: string): Promise<Finding[]> {
  const { bavail, bsize } = await statfs(await nearestExisting(dataDir));
  const free = bavail * bsize;
  const message = `${formatBytes(free)} free for the data directory`;
  if (free < FULL_BYTES) return [finding('disk', 'error', message, MORE_ROOM)];
  return [free < LOW_BYTES ? finding('disk', 'warning', message, MORE_ROOM) : finding('disk', 'ok', message)];
}

/** Whoever holds the data directory has written a runtime file; the handshake shows whether it is still there. */
export async function checkDaemon(dataDir: string, io: Io): Promise<Finding[]> {
  const info = findRuntime({ dataDir, env: io.env });
  if (info === undefined)
    return [
      finding(
        'daemon',
        'info',
        'No daemon runs for this data directory.',
        'Commands start one for themselves; to keep one: callsheet daemon',
      ),
    ];
  const session = await connectToRunning(dataDir, io);
  if (session === undefined) {
    const hint = `If process ${info.pid} is no Callsheet, start the daemon again: it replaces the file.`;
    return [finding('daemon', 'warning', `A runtime file names process ${info.pid}, but nothing answers at ${info.url}.`, hint)];
  }
  try {
    const { version, pid, startedAt, runs, storage, cache, recovery } = await session.client.call('daemon/status');
    const there = finding(
      'daemon',
      'ok',
      `Daemon ${version} holds the data directory: process ${pid}, since ${formatTime(startedAt)}, ${runs.open} open runs`,
    );
    const others = [
      ...(cache.trouble === undefined ? [] : [withoutCache(cache.trouble)]),
      ...(recovery === undefined ? [] : [lossOf(recovery)]),
    ];
    if (storage.status === 'ready') return [there, ...others];
    const since = `${storage.message ?? 'Nothing can be written.'} For ${String(Math.round(storage.seconds ?? 0))} s now; runs wait, and go on by themselves.`;
    return [there, finding('storage', storage.status === 'failed' ? 'error' : 'warning', since, storage.hint), ...others];
  } finally {
    await session.close();
  }
}

// --- helpers ---

function withoutCache(trouble: string): Finding {
  const hint = 'Make room there, or give the folder back its rights; then start the daemon again. It may also be deleted whole.';
  return finding('cache', 'warning', `The result cache does not work: ${trouble}. Runs go on; what they make is not kept.`, hint);
}

function lossOf({ reason, rebuilt, leftOut, lostSince }: NonNullable<DaemonStatus['recovery']>): Finding {
  const since = lostSince === undefined ? '' : ` Changes since ${formatTime(lostSince)} were lost.`;
  const others = leftOut.length === 0 ? '' : `; files of ${leftOut.length} more lie in the output directory`;
  const hint = '`callsheet call daemon/status` names them all; `callsheet runs show ID` says of each what is missing.';
  return finding(
    'database',
    'warning',
    `The database was lost (${reason}).${since} ${rebuilt === 1 ? '1 run was' : `${rebuilt} runs were`} made again of their files${others}.`,
    hint,
  );
}

/** Throws what the file system says. */
async function tryToWrite(place: string): Promise<void> {
  const folder = await mkdtemp(join(place, '.doctor-'));
  try {
    await writeFile(join(folder, 'tried'), Buffer.alloc(TRIED_BYTES, 1), { flush: true });
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function nearestExisting(path: string): Promise<string> {
  for (let place = path; ; place = dirname(place)) {
    if ((await stat(place).catch(() => undefined)) !== undefined || place === dirname(place)) return place;
  }
}
