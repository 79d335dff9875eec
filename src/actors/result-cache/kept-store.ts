/** Index and files of the result cache as one: what is put in is there whole or not at all, and never more than the limit for long. */
import { sha256Hex } from '#graph/hash.ts';
import { toErrorData } from '#protocol/errors.ts';
import type { KeptFiles } from '#results/kept-files.ts';
import type { KeptFile, KeptOrigin, ResultIndex, ResultUse } from '#store/result-index.ts';
import { storeParameters } from '#templates/parameters.ts';
import type { RunMemory } from '../deps.ts';
import type { PrepareInput } from '../logic.ts';
import type { CachedResult, KeyedItem, MadeFile } from './contract.ts';

/** When the limit is passed, it is left by so much, so that not every new result drops an old one. */
const LEFT = 0.9;

export interface KeptStoreOptions {
  readonly index: ResultIndex;
  readonly files: KeptFiles;
  /** Bytes; 0 keeps nothing and takes nothing. */
  readonly limit: number;
  /** Why no file could be put in when it was opened. */
  readonly trouble?: string | undefined;
  readonly now: () => number;
}

export interface Made {
  readonly memory: RunMemory;
  readonly input: PrepareInput;
  readonly item: KeyedItem;
  readonly seconds: number | undefined;
  readonly files: readonly MadeFile[];
  readonly origin: KeptOrigin;
}

export interface KeptStore {
  /** Nothing where a file of it cannot be named, or it would push everything else out. */
  put(made: Made): Promise<void>;
  drop(result: CachedResult): Promise<void>;
  clear(): Promise<void>;
  use(): ResultUse;
  /** Why nothing is kept, as far as the last try tells; undefined when that went well. */
  trouble(): string | undefined;
}

/** Drops what was used longest ago where more is kept than may be. How many bytes are kept then. */
export async function makeRoom({ index, files, limit }: Pick<KeptStoreOptions, 'index' | 'files' | 'limit'>): Promise<number> {
  const { bytes } = index.use();
  if (bytes <= limit) return bytes;
  await files.remove(index.shrink(limit * LEFT).files);
  return index.use().bytes;
}

export function createKeptStore({ index, files, limit, now, ...before }: KeptStoreOptions): KeptStore {
  let { trouble } = before;
  let bytes = index.use().bytes;
  return {
    async put({ memory, input, item, seconds, files: made, origin }) {
      const kept = made.flatMap((file) => keptFile(item, file));
      const texts = origin.graphs.reduce((sum, { content }) => sum + content.length, 0);
      const size = kept.reduce((sum, file) => sum + file.bytes, texts);
      if (kept.length < made.length || kept.length === 0 || size > limit / 2) return;
      try {
        for (const { path, sha256, bytes: each } of made) await files.add(path, sha256, each);
        trouble = undefined;
      } catch (error) {
        trouble = toErrorData(error).message;
        throw error;
      }
      const result = {
        key: item.key,
        template: memory.template.id,
        step: input.step,
        request: requestOf(memory),
        runId: input.runId,
        item: input.item,
        backend: item.backend.id,
        createdAt: now(),
        seconds: seconds ?? null,
        files: kept,
        parts: item.parts,
      };
      const added = index.put(result, origin);
      bytes += added ?? 0;
      if (bytes > limit) bytes = await makeRoom({ index, files, limit });
    },
    async drop(result) {
      index.drop(result.key);
      await files.remove(result.files.map(({ sha256 }) => sha256));
      bytes = index.use().bytes;
    },
    async clear() {
      await files.remove(index.shrink(0).files);
      bytes = 0;
    },
    use: () => index.use(),
    trouble: () => index.trouble() ?? trouble,
  };
}

/** Equal for runs that ask for the same, in most cases: nothing is taken by it. */
export function requestOf({ template, params, backend }: RunMemory): string {
  return sha256Hex(JSON.stringify([template.id, storeParameters(params), backend]));
}

// --- helpers ---

/** Empty where its node has no name of its own. */
function keptFile({ names }: KeyedItem, { sha256, bytes, nodes, artifactId, source, remote }: MadeFile): KeptFile | readonly [] {
  const [node] = nodes.flatMap((one) => names.get(one) ?? []);
  if (node === undefined) return [];
  const { key, filename, type, draft = false } = remote ?? {};
  const isFile = key !== undefined && filename !== undefined && type !== undefined;
  const from = isFile ? { remote: { key, filename, type, ...(draft ? { draft } : {}) } } : {};
  return { sha256, bytes, node, artifactId, ...(source === undefined ? {} : { source }), ...from };
}
