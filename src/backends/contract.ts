/**
 * The contract of a backend: something that takes an attempt and reports events.
 * One suite (test/contracts/backend-contract.ts) runs alike against every implementation.
 */
import type { ErrorData } from '#protocol/errors.ts';
import type { InputUse } from '#protocol/provenance.ts';

/** One submission of one item of one step. Everything a backend needs; nothing else is asked for later. */
export interface Attempt {
  readonly runId: string;
  readonly step: string;
  readonly item: number;
  /** 1-based. */
  readonly attempt: number;
  /** UUIDv5 of (run, step, item, attempt), canonical lower case. Chosen by us, stored before it is sent. */
  readonly promptId: string;
  readonly backendId: string;
}

/** The workflow with every parameter injected, as the backend's own JSON text (may hold 64-bit integers, NaN). */
export interface Payload {
  readonly text: string;
  /** Ids of the nodes whose files the step declares as outputs; empty means every file. */
  readonly outputNodes: readonly string[];
  /** The same with the same values in UI format, where the author's workflow is in it: sent along, so that savers put it into their files. */
  readonly workflow?: string;
  /** Files that went in, for provenance. */
  readonly inputs?: readonly InputUse[];
}

/** A file that a backend produced and still holds. */
export interface RemoteFile {
  readonly node: string;
  /** Key under which the node reported it: images, gifs, audio, 3d … */
  readonly key: string;
  readonly filename: string;
  readonly subfolder: string;
  readonly type: 'output' | 'temp' | 'input';
  /** The backend says that this file is a drafted card. */
  readonly draft?: boolean;
  /** No node reported it: it was found under a name that the node would have given it. */
  readonly isGuess?: boolean;
}

/** Text that a node reported instead of a file (PreviewAny and the like). */
export interface RemoteText {
  readonly node: string;
  /** Key under which it was reported, where that is none of those for texts: it counts only when its node gives nothing else. */
  readonly key?: string;
  readonly text: string;
}

export interface RemoteOutputs {
  readonly files: readonly RemoteFile[];
  readonly texts: readonly RemoteText[];
  /** Ids of nodes that were served from the backend's cache. */
  readonly cachedNodes: readonly string[];
}

/** Where an attempt stands by the backend's own word. `absent`: looked up twice and not found. */
export type AttemptState =
  | { readonly state: 'absent' }
  | { readonly state: 'queued'; readonly position?: number }
  | { readonly state: 'running' }
  | { readonly state: 'finished'; readonly outputs: RemoteOutputs }
  | { readonly state: 'failed'; readonly error: ErrorData; readonly outputs?: RemoteOutputs }
  | { readonly state: 'interrupted' };

/** What one node of an attempt took; nodes served from the cache are not told. */
export interface NodeTime {
  readonly node: string;
  readonly className: string;
  readonly seconds: number;
}

export type BackendEvent =
  | { readonly type: 'queued'; readonly position?: number }
  | { readonly type: 'started' }
  /** `value` 0..1 over the whole attempt; `node` is the id of the node at work, `within` how far it is by its own count (0..1). */
  | { readonly type: 'progress'; readonly value: number; readonly node?: string; readonly within?: number }
  | { readonly type: 'preview'; readonly mediaType: string; readonly bytes: Uint8Array }
  /** Says nothing about the end: the connection is down, or up again. */
  | { readonly type: 'contact'; readonly status: 'lost' | 'restored' | 'unresponsive' }
  /** `nodes`: how long each node took, when all of it was seen. */
  | { readonly type: 'finished'; readonly outputs: RemoteOutputs; readonly nodes?: readonly NodeTime[] }
  /** `outputs`: of nodes that had done their work before. */
  | { readonly type: 'failed'; readonly error: ErrorData; readonly outputs?: RemoteOutputs }
  | { readonly type: 'interrupted' }
  /**
   * The backend no longer knows the attempt. `restarted`: proven by a refused connection or a counter reset since it was accepted.
   * `removed`: no restart seen, so somebody took it away. `never-accepted`: the POST was never answered and the id is absent twice.
   */
  | { readonly type: 'lost'; readonly cause: 'restarted' | 'removed' | 'never-accepted' };

export interface SubmitReceipt {
  /** The backend's queue number, for spotting a restart. */
  readonly number?: number;
  /** Parts of the prompt that the backend refused while it runs the rest (200 with node_errors). */
  readonly warnings: readonly ErrorData[];
}

/** What is known of the attempt from before, e.g. by a daemon that died: decides between the cases of loss. */
export interface FollowOptions {
  /** True when the POST was answered with success at some time before. A receipt that submit() gives later counts as well. */
  readonly acknowledged: boolean;
  /** The queue number of that answer, when known: a smaller one given to anybody later proves a restart. */
  readonly number?: number;
  /** Milliseconds since 1970: not sent before that. A server that was started later cannot have it. */
  readonly sentAt?: number;
  readonly onEvent: (event: BackendEvent) => void;
  readonly signal: AbortSignal;
  readonly previews?: boolean;
  /** What a node usually takes compared with the others, for progress; without it, or where it says nothing, all nodes weigh the same. */
  readonly weightOf?: (node: string, className: string) => number | undefined;
}

export interface CancelOutcome {
  /** `gone`: proven not queued and not running, without a result. `finished`: it had ended before the cancel took hold. */
  readonly result: 'gone' | 'finished';
}

/** What an attempt left on the backend's disk. */
export type LeftBehind =
  /** Every file that its graph would have saved is there; nobody has looked inside yet. */
  | { readonly state: 'complete'; readonly outputs: RemoteOutputs }
  | { readonly state: 'nothing' }
  /** Something may be there, but the graph does not prove that it is all. `why` is a clause for a person. */
  | { readonly state: 'unproven'; readonly why: string };

export interface BackendDescription {
  readonly version: string;
  /** True when its results are drafts (the sandbox). */
  readonly draft: boolean;
  readonly queueRemaining: number;
  /** Bytes of its largest graphics card, 0 when it computes without one; undefined when it does not say, or draws drafts. */
  readonly vram?: number;
  /** Bytes of graphics memory that its process keeps for itself; undefined when it does not say, or computes without a card. */
  readonly reserved?: number;
  readonly capabilities: Readonly<Record<string, boolean>>;
  /** What of it changes pixels, by name: backends that agree in all of it give the same for the same. Absent where that is not known. */
  readonly engine?: Readonly<Record<string, string>>;
}

/** A file that a graph takes from the server by name. */
export interface ServerFile {
  /** A folder of models, or `input`. */
  readonly folder: string;
  readonly name: string;
}

/** A local file to hand to the backend. */
export interface InputFile {
  readonly path: string;
  readonly sha256: string;
  /** Original name: only its extension is used. */
  readonly name: string;
  readonly mediaType: string;
  /** What is sent of the file instead of the whole, in order; `end` exclusive. `sha256` is of that. */
  readonly stretches?: readonly { readonly start: number; readonly end: number }[];
}

/**
 * All methods throw CallsheetError: BACKEND_UNREACHABLE (refused, reset, no answer), BACKEND_NOT_COMFYUI, BACKEND_HTTP, PROMPT_REJECTED, UPLOAD_FAILED.
 * None of them retries a POST by itself.
 */
export interface Backend {
  readonly id: string;
  readonly kind: 'comfyui' | 'wan2gp' | 'sandbox';
  /** Address without credentials, for people. */
  readonly url: string;
  describe(signal?: AbortSignal): Promise<BackendDescription>;
  /** The whole object info as JSON text; cached, `refresh` asks again. */
  objectInfo(options?: { refresh?: boolean; signal?: AbortSignal }): Promise<string>;
  /** JSON text of what it says of renamed node classes; `{}` when it says nothing. Absent where there are no node classes. Cached. */
  nodeReplacements?(signal?: AbortSignal): Promise<string>;
  /**
   * For each file what changes when its content does, as size and time of writing; undefined where the server does not say. A backend without it
   * says nothing of any.
   */
  stamps?(files: readonly ServerFile[], signal?: AbortSignal): Promise<readonly (string | undefined)[]>;
  /** Uploads under a content-hash name (known ones are not sent again) and returns the name to put into the graph. */
  upload(file: InputFile, signal?: AbortSignal): Promise<string>;
  /** Sends the prompt once. Rejects with BACKEND_UNREACHABLE when no answer came: the prompt may or may not have arrived. */
  submit(attempt: Attempt, payload: Payload, signal?: AbortSignal): Promise<SubmitReceipt>;
  /** Looks the attempt up: queue and history, read twice before `absent` is said. */
  attach(attempt: Attempt, signal?: AbortSignal): Promise<AttemptState>;
  /**
   * Reports until the attempt's end (exactly one of finished, failed, interrupted, lost) or until the signal. Never throws.
   * The caller follows first and submits next, so that no event is missed; while a submit() of the same attempt is in flight
   * nothing is said of its loss, and a submit() that was refused by the backend is not reported here as well.
   */
  follow(attempt: Attempt, options: FollowOptions): void;
  /** Streams one file; the caller checks what arrives. */
  fetch(
    file: RemoteFile,
    signal?: AbortSignal,
  ): Promise<{ readonly stream: NodeJS.ReadableStream; readonly bytes?: number; readonly mediaType?: string }>;
  /** Looks for files that an attempt finished before the backend forgot it. A backend without it keeps nothing that could be found. */
  findLeft?(attempt: Attempt, payload: Payload, signal?: AbortSignal): Promise<LeftBehind>;
  /**
   * Asked when nothing was heard of an attempt for a while, or when the queue stands still, whoever's: a clause for a person that says by what it
   * is proven that the backend answers and will execute nothing any more; undefined when that is not proven.
   */
  diagnose?(attempt: Attempt | undefined, signal?: AbortSignal): Promise<string | undefined>;
  /** Cancels exactly this attempt and proves it. */
  cancel(attempt: Attempt, signal?: AbortSignal): Promise<CancelOutcome>;
  /** Forgets our own history entry; harmless when it fails. */
  forget(attempt: Attempt): Promise<void>;
  /** Asks the backend to unload models and drop caches. */
  free(): Promise<void>;
  close(): Promise<void>;
}
