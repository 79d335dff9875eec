/** The Unix socket beside the runtime file: nobody but its owner can even connect. Not on Windows, where pipes have no such rights. */
import { chmodSync, lstatSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';

/** What the systems take as the path of a socket, in bytes; the shortest of them (macOS). */
const LONGEST = 103;

/** Undefined where there can be none: on Windows, or when the path is too long for a socket. */
export function socketPath(runtimeFile: string, platform: NodeJS.Platform = process.platform): string | undefined {
  const path = runtimeFile.replace(/\.json$/, '.sock');
  return platform === 'win32' || Buffer.byteLength(path) > LONGEST ? undefined : path;
}

/**
 * The directory is private (`demandSafePlace`), and the data directory locked: a socket that lies there is of a daemon that was killed.
 * What is no socket is left alone, and listening fails.
 */
export async function listenAt(server: Server, path: string): Promise<void> {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() === true) rmSync(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  chmodSync(path, 0o600);
}
