/** The result cache as actors see it: what was made before and is the same is taken from there, and what is made is kept. */
import type { Backend, RemoteFile, ServerFile } from '#backends/contract.ts';
import type { ObjectInfo } from '#graph/node-classes.ts';
import type { KeyParts, ResultKey } from '#graph/result-key/key.ts';
import type { SourceFile } from '#protocol/provenance.ts';
import type { KeptOrigin, KeptResult } from '#store/result-index.ts';
import type { Scope } from '#templates/types.ts';
import type { RunMemory } from '../deps.ts';
import type { PrepareInput } from '../logic.ts';

export type CachedResult = KeptResult<KeyParts>;

/** What a backend said of itself. */
export interface KnownBackend {
  readonly info: ObjectInfo;
  readonly engine: Readonly<Record<string, string>>;
  /** Milliseconds since 1970: it does not answer now, and this is what it said then. */
  readonly saidAt?: number;
  /** In the order of `files`; with a time of its own where it does not answer this. */
  stamps(files: readonly ServerFile[]): Promise<{ readonly stamps: readonly (string | undefined)[]; readonly saidAt?: number }>;
}

export interface BackendFacts {
  /** Undefined: it has said nothing that still counts. Throws the signal's reason. */
  of(backend: Backend, signal: AbortSignal): Promise<KnownBackend | undefined>;
}

/** What an item would be on one backend. */
export interface KeyedItem extends ResultKey {
  readonly backend: Backend;
  readonly saidAt?: number;
}

export type Look =
  | { readonly kind: 'hit'; readonly keyed: KeyedItem; readonly result: CachedResult; readonly reason: string }
  /** `keys`: by backend, of those on which the result can be kept once it is made. */
  | { readonly kind: 'miss'; readonly keys: ReadonlyMap<string, KeyedItem>; readonly reason: string }
  /** The same, of what is to be made whatever is kept; it takes the place of what is. */
  | { readonly kind: 'anew'; readonly keys: ReadonlyMap<string, KeyedItem> }
  /** Neither kept nor taken. Without a reason nobody has to be told. */
  | { readonly kind: 'off'; readonly reason?: string };

/** A file that an attempt gave, as it lies in the run's folder. */
export interface MadeFile {
  readonly artifactId: string;
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
  /** As the backend gave it, where this is another. */
  readonly source: SourceFile | undefined;
  /** The author's node, and the one of the graph that was sent: of two that were merged only the first tells which is meant. */
  readonly nodes: readonly string[];
  /** Undefined for a text that a node only showed. */
  readonly remote: RemoteFile | undefined;
}

/** What a step gave that shared the prompt of another one. */
export interface MadePart {
  readonly input: PrepareInput;
  readonly files: readonly MadeFile[];
}

export interface SharedPart {
  readonly input: PrepareInput;
  readonly scope: Scope;
}

export interface ResultCache {
  /** Whether the item was made before, on one of the backends that it may go to; with `anew` only its keys. Throws the signal's reason. */
  look(memory: RunMemory, input: PrepareInput, backends: readonly Backend[], signal: AbortSignal, anew?: boolean): Promise<Look>;
  /** The same, of all items that could begin now, without telling why: true when all of them were. */
  covers(memory: RunMemory, takers: (step: string) => readonly Backend[], signal: AbortSignal): Promise<boolean>;
  /** Resolves when the attempt that makes this result now has ended, at once where it was made meanwhile; undefined when nobody makes it. */
  flight(key: string): Promise<void> | undefined;
  /** This attempt is going to make it. */
  began(promptId: string, keyed: KeyedItem): void;
  /** It makes that of another step as well, which sees `scope`; it is kept where that gives the same as by itself. Throws the signal's reason. */
  shares(promptId: string, memory: RunMemory, part: SharedPart, signal: AbortSignal): Promise<void>;
  /** What it took, once that is known; with `step`, what the part of another step took. */
  took(promptId: string, seconds: number, step?: string): void;
  /** Nobody knows how long it will take: whoever waits for its result makes it himself. */
  doubted(promptId: string): void;
  /** It ended without a result that could be kept. */
  ended(promptId: string): void;
  /** Keeps what the attempt made, in the background; nothing where it was not begun in this process or something changed meanwhile. */
  keep(memory: RunMemory, input: PrepareInput, promptId: string, files: readonly MadeFile[], parts?: readonly MadePart[]): void;
  /** Absolute paths of its files, and what made them, where all is as it was when it was kept; else why not, as a clause. */
  whole(result: CachedResult): Promise<{ readonly paths: readonly string[]; readonly origin: KeptOrigin } | { readonly why: string }>;
  used(key: string): void;
  /** It cannot be used: it is kept no more, nor are its files. */
  drop(result: CachedResult): Promise<void>;
}
