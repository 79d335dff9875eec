/** Connects a command to the running daemon of its data directory, or starts a daemon in this process for as long as the command lasts. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { CallsheetError } from '#protocol/errors.ts';
import { type ConfigOptions, type DaemonConfig, parseConfig } from '#daemon/config.ts';
import { startDaemon } from '#daemon/daemon.ts';
import type { Arguments } from './command.ts';
import { dataDirOf } from './data-dir.ts';
import type { Io } from './io.ts';
import { type ConnectionOptions, connectToOwn, connectToRunning, type OwnDaemon, type Session } from './session.ts';

/** How long a daemon may take from its lock to its runtime file, and the pause between two looks, in milliseconds. */
const STARTING_MS = 5000;
const LOOK_MS = 100;

export interface OpenOptions {
  /** Template directories that come before all others; only a daemon in this process can be told of them. */
  readonly templates?: readonly string[];
  readonly backends?: readonly string[];
  /** Approved besides the usual ones. */
  readonly roots?: readonly string[];
  /** A daemon in this process keeps its state in a directory of its own that is removed: for commands that only read templates. */
  readonly scratch?: boolean;
  readonly connection?: ConnectionOptions;
}

/** Throws CONFIG_INVALID, STORAGE_LOCKED and what starting a daemon throws. */
export async function openSession(args: Arguments, io: Io, options: OpenOptions): Promise<Session> {
  const dataDir = dataDirOf(args, io);
  const { connection } = options;
  const running = await connectToRunning(dataDir, io, connection);
  if (running !== undefined) return running;
  const scratch = options.scratch === true ? mkdtempSync(join(tmpdir(), 'callsheet-')) : undefined;
  const dispose = () => {
    if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true });
  };
  try {
    const config = ownConfig(dataDir, scratch, io, options);
    return await connectToOwn(await startOwn(config, connection?.scope, dispose), connection);
  } catch (error) {
    dispose();
    const starting =
      error instanceof CallsheetError && error.code === 'STORAGE_LOCKED' ? await awaitRunning(dataDir, io, connection) : undefined;
    if (starting !== undefined) return starting;
    throw error;
  }
}

// --- helpers ---

/** Whoever holds the data directory may be about to listen: two commands were started at once. */
async function awaitRunning(dataDir: string, io: Io, connection: ConnectionOptions | undefined): Promise<Session | undefined> {
  for (let waited = 0; waited < STARTING_MS; waited += LOOK_MS) {
    await pause(LOOK_MS);
    const session = await connectToRunning(dataDir, io, connection);
    if (session !== undefined) return session;
  }
  return undefined;
}

function ownConfig(dataDir: string, scratch: string | undefined, io: Io, options: OpenOptions): DaemonConfig {
  const given: ConfigOptions = {
    data: scratch ?? dataDir,
    port: 0,
    ...(options.backends === undefined || options.backends.length === 0 ? {} : { backends: options.backends }),
  };
  const config = parseConfig(given, io.env, io.cwd);
  return {
    ...config,
    ofCommand: true,
    // What was imported and approved is asked of the real data directory, also by a daemon that only reads.
    importDir: join(dataDir, 'templates', 'imported'),
    approvalsFile: join(dataDir, 'approvals.json'),
    templateDirs: [...(options.templates ?? []), ...(scratch === undefined ? [] : [join(dataDir, 'templates')]), ...config.templateDirs],
    roots: [...config.roots, ...(options.roots ?? [])],
  };
}

async function startOwn(config: DaemonConfig, scope: ConnectionOptions['scope'], dispose: () => void): Promise<OwnDaemon> {
  const daemon = await startDaemon(config);
  return {
    endpoint: scope === 'run' ? daemon.runEndpoint : daemon.endpoint,
    async close() {
      await daemon.close();
      dispose();
    },
  };
}
