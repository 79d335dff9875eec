/** What the sandbox is started with and what it hands back. */
import type { CacheMode } from './cache.ts';
import type { PromptCosts } from './costs/account.ts';
import type { Prices } from './costs/cost-model.ts';
import type { SandboxFaults } from './faults.ts';
import type { NodeResult } from './nodes/define.ts';

export interface SandboxOptions {
  /** 0 or absent: any free port. Bound to 127.0.0.1 only. */
  readonly port?: number;
  /** Everything the sandbox writes lies below: input/, output/, temp/, user/, ledger.jsonl. */
  readonly dir: string;
  /** When set, every HTTP request and WebSocket upgrade without this header is refused with 403. */
  readonly secret?: { readonly header: string; readonly value: string };
  /**
   * Milliseconds per node, per sampler step and before a prompt starts; 0 allowed. The default lets clients that attach
   * their listeners after the POST see every event.
   */
  readonly latencyMs?: number;
  /** May be changed while the server runs, through `Sandbox.faults`. */
  readonly faults?: SandboxFaults;
  /** One line of text for people. */
  readonly log?: (line: string) => void;
  /** Origins accepted besides the server's own, e.g. `http://127.0.0.1:5173`. */
  readonly allowedOrigins?: readonly string[];
  /** Which results of earlier prompts are kept, as ComfyUI's own modes do. When absent `ram`, with 512 MiB or with the memory of `prices`. */
  readonly cache?: CacheMode;
  /** Counts what the work would cost on a machine with models; see `LedgerEntry.costs`. Nothing is waited for. */
  readonly prices?: Prices;
  /** Model files (`folder/name`) that are in main memory when the server starts, as on a machine where they were used today. Costs nothing. */
  readonly pageCache?: readonly string[];
  /** False: samplers show nothing while they work, as with ComfyUI's `--preview-method none`. */
  readonly previews?: boolean;
  /** Results of any sandbox by their cache keys, so that several of them draw a thing once. What runs and what it costs stays the same. */
  readonly memo?: ResultMemo;
  /** Model file names by folder (`loras`, `checkpoints` …), added to the built-in ones. */
  readonly models?: Readonly<Record<string, readonly string[]>>;
}

export interface ResultMemo {
  get(key: string): NodeResult | undefined;
  put(key: string, result: NodeResult): void;
}

/** One execution of one prompt: the judge of "nothing was executed twice". Times are Unix milliseconds. */
export interface LedgerEntry {
  readonly prompt_id: string;
  readonly started: number;
  readonly finished: number | null;
  /** Null while it runs, and for ever when the process died under it. */
  readonly outcome: 'success' | 'error' | 'interrupted' | null;
  /** Ids of the nodes that were really executed, in order; cached ones are not among them. */
  readonly nodes: readonly string[];
  /** When the sandbox counts costs: those of the nodes that ran through. */
  readonly costs?: PromptCosts;
}

export interface Sandbox {
  readonly url: string;
  readonly port: number;
  /** Live: a test may set and clear faults. */
  readonly faults: SandboxFaults;
  readonly ledger: () => LedgerEntry[];
  /** As if the process were killed and started again: sockets cut, queue, history, counter and cache empty, temp/ wiped. */
  readonly restart: (options?: { readonly downMs?: number }) => Promise<void>;
  readonly close: () => Promise<void>;
}

export const DEFAULT_LATENCY_MS = 25;
