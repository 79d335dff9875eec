/**
 * What backends said of themselves, for the result cache: the newest word while they answer, and for a day after that the last one, also across
 * restarts of ours. Nothing of it is a promise: what cannot be read back is asked again.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseObjectInfo } from '#graph/object-info.ts';
import { sha256Hex } from '#graph/hash.ts';
import type { ObjectInfo } from '#graph/node-classes.ts';
import { parseReplacements } from '#graph/replacements.ts';
import type { Backend, ServerFile } from '#backends/contract.ts';
import type { BackendFacts, KnownBackend } from '#actors/result-cache/contract.ts';
import { writeWhole } from '#results/durable.ts';
import type { BackendMonitor } from './backend-monitor.ts';
import type { Logger } from './log.ts';
import type { Offers } from './offers.ts';
import { makeDirectory } from './places.ts';

/** How long the last word of a backend counts that does not answer, in milliseconds. */
const COUNTS_MS = 24 * 3_600_000;
/** How long an answer is waited for: the item would rather be made. */
const PATIENCE_MS = 3000;
/** Items of one step ask for the same models one after the other. */
const SAME_MS = 5000;
/** What is heard again and again is written down so often. */
const WRITE_MS = 600_000;

export interface BackendFactsOptions {
  readonly offers: Pick<Offers, 'known' | 'ask'>;
  readonly monitor: Pick<BackendMonitor, 'views' | 'engineOf' | 'onHeard'>;
  /** Where the last words are kept; undefined keeps them in memory alone. */
  readonly directory: string | undefined;
  readonly log: Pick<Logger, 'debug'>;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

interface Stamp {
  readonly stamp: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** The small part of what is kept; the object info lies beside it. */
interface Kept {
  readonly address: string;
  readonly at: number;
  readonly engine: Readonly<Record<string, string>>;
  readonly stamps: Readonly<Record<string, Stamp>>;
  readonly replacements: string;
  readonly infoHash: string;
}

interface Memory {
  readonly stamps: Map<string, Stamp>;
  /** By a clock that does not jump, when they were asked last. */
  readonly askedAt: Map<string, number>;
  /** What an earlier daemon wrote down; read once. */
  kept: Promise<(Kept & { readonly info: ObjectInfo }) | undefined> | undefined;
  /** What stands on the disk now. */
  info: { readonly text: string; readonly hash: string } | undefined;
  small: string;
  writtenAt: number;
}

const newMemory = (): Memory => ({
  stamps: new Map(),
  askedAt: new Map(),
  kept: undefined,
  info: undefined,
  small: '',
  writtenAt: Number.NEGATIVE_INFINITY,
});

export function createBackendFacts({
  offers,
  monitor,
  directory,
  log,
  now = Date.now,
}: BackendFactsOptions): BackendFacts & { close(): void } {
  const memories = new Map<string, Memory>();
  const engines = new Map<string, string>();
  const memoryOf = (id: string): Memory => {
    const known = memories.get(id) ?? newMemory();
    memories.set(id, known);
    return known;
  };
  const isUp = (id: string) => monitor.views().some((view) => view.id === id && view.status === 'ready');
  const counts = (at: number) => Math.abs(now() - at) < COUNTS_MS;

  // A server that came back with other switches between two looks was never seen away: what it has is asked anew.
  const stop = monitor.onHeard(({ id }) => {
    const heard = monitor.engineOf(id);
    if (heard === undefined) return;
    const text = JSON.stringify(heard.engine);
    const before = engines.get(id);
    engines.set(id, text);
    if (before === undefined || before === text) return;
    memoryOf(id).askedAt.clear();
    void offers.ask(id, { refresh: true });
  });

  async function present(backend: Backend, signal: AbortSignal): Promise<KnownBackend | undefined> {
    const { id } = backend;
    const patience = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
    const isAway = monitor.views().some((view) => view.id === id && view.status !== 'ready' && view.status !== 'unknown');
    const offer = isAway ? offers.known(id) : await offers.ask(id, { signal: patience });
    const heard = monitor.engineOf(id) ?? (isAway ? undefined : await engineNow(backend, patience));
    signal.throwIfAborted();
    if (offer.info === undefined || heard === undefined) return undefined;
    if (isAway && !counts(heard.at)) return undefined;
    const saidAt = isAway ? heard.at : undefined;
    const known = { info: offer.info, engine: heard.engine, ...(saidAt === undefined ? {} : { saidAt }) };
    return { ...known, stamps: (files) => stampsOf(backend, saidAt, files, signal) };
  }

  async function stampsOf(backend: Backend, saidAt: number | undefined, files: readonly ServerFile[], signal: AbortSignal) {
    const memory = memoryOf(backend.id);
    const isFresh = (file: ServerFile) => performance.now() - (memory.askedAt.get(nameOf(file)) ?? Number.NEGATIVE_INFINITY) < SAME_MS;
    if (saidAt !== undefined) return lastStamps(memory.stamps, files, saidAt);
    if (files.every(isFresh)) return { stamps: files.map((file) => memory.stamps.get(nameOf(file))?.stamp) };
    try {
      const stamps = (await backend.stamps?.(files, AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]))) ?? [];
      for (const [at, file] of files.entries()) {
        const stamp = stamps[at];
        if (stamp === undefined) memory.stamps.delete(nameOf(file));
        else memory.stamps.set(nameOf(file), { stamp, at: now() });
        memory.askedAt.set(nameOf(file), performance.now());
      }
      return { stamps: files.map((_, at) => stamps[at]) };
    } catch (error) {
      signal.throwIfAborted();
      log.debug({ err: error, backend: backend.id }, 'a backend does not say now which files it has');
      return lastStamps(memory.stamps, files, now());
    }
  }

  /** By the last word on each; the oldest of them says since when nothing newer is known. */
  function lastStamps(known: ReadonlyMap<string, Stamp>, files: readonly ServerFile[], saidAt: number) {
    const found = files.map((file) => known.get(nameOf(file)));
    const stamps = found.map((one) => (one !== undefined && counts(one.at) ? one.stamp : undefined));
    return { stamps, saidAt: Math.min(saidAt, ...found.flatMap((one) => one?.at ?? [])) };
  }

  /** Written beside the cache, so that a backend that is down when we start can still be spoken of. */
  async function keep(backend: Backend, engine: Kept['engine']): Promise<void> {
    if (directory === undefined || backend.kind === 'sandbox' || !isUp(backend.id)) return;
    const memory = memoryOf(backend.id);
    const text = await backend.objectInfo();
    const replacements = (await backend.nodeReplacements?.()) ?? '{}';
    const isNew = memory.info?.text !== text;
    const info = isNew || memory.info === undefined ? { text, hash: sha256Hex(text) } : memory.info;
    const stamps = Object.fromEntries(memory.stamps);
    const words = { address: backend.url, engine, replacements, infoHash: info.hash };
    const small = JSON.stringify([words, Object.entries(stamps).map(([name, { stamp }]) => [name, stamp])]);
    if (small === memory.small && performance.now() - memory.writtenAt < WRITE_MS) return;
    Object.assign(memory, { info, small, writtenAt: performance.now() });
    makeDirectory(directory);
    if (isNew) await writeWhole(infoFile(directory, backend.id), text);
    await writeWhole(smallFile(directory, backend.id), JSON.stringify({ ...words, stamps, at: now() } satisfies Kept));
  }

  async function past({ id, url, kind }: Backend): Promise<KnownBackend | undefined> {
    if (directory === undefined || kind === 'sandbox') return undefined;
    const memory = memoryOf(id);
    memory.kept ??= readKept(directory, id);
    const kept = await memory.kept;
    if (kept === undefined || kept.address !== url || !counts(kept.at)) return undefined;
    const { info, engine, at: saidAt, stamps } = kept;
    const known = new Map(Object.entries(stamps));
    return { info, engine, saidAt, stamps: async (files) => lastStamps(known, files, saidAt) };
  }

  return {
    async of(backend, signal) {
      const known = await present(backend, signal);
      if (known === undefined) return past(backend);
      if (known.saidAt === undefined) {
        keep(backend, known.engine).catch((error: unknown) =>
          log.debug({ err: error, backend: backend.id }, 'what a backend said is not kept'),
        );
      }
      return known;
    },
    close: stop,
  };

  async function engineNow(backend: Backend, signal: AbortSignal) {
    try {
      const { engine } = await backend.describe(signal);
      return engine === undefined ? undefined : { engine, at: now() };
    } catch {
      return undefined;
    }
  }
}

// --- helpers ---

const nameOf = ({ folder, name }: ServerFile): string => `${folder}/${name}`;
/** Ids of backends are words of letters, digits, hyphens and the like. */
const smallFile = (directory: string, id: string): string => join(directory, `${encodeURIComponent(id)}.json`);
const infoFile = (directory: string, id: string): string => join(directory, `${encodeURIComponent(id)}.object_info.json`);

async function readKept(directory: string, id: string): Promise<(Kept & { readonly info: ObjectInfo }) | undefined> {
  try {
    const kept = JSON.parse(await readFile(smallFile(directory, id), 'utf8')) as Kept;
    const text = await readFile(infoFile(directory, id), 'utf8');
    const { info } = sha256Hex(text) === kept.infoHash ? parseObjectInfo(text) : {};
    if (info === undefined || typeof kept.engine !== 'object' || typeof kept.stamps !== 'object') return undefined;
    const replacements = parseReplacements(kept.replacements);
    return { ...kept, info: replacements.length === 0 ? info : { ...info, replacements } };
  } catch {
    // Never written, or no longer what was written.
    return undefined;
  }
}
