/** Adds up what prompts cost on a machine, in seconds that nobody waits for: the same prompts give the same figures. */
import type { Prices } from './cost-model.ts';
import type { Lineage, Scene } from './lineage.ts';
import { createMemory, type Moved } from './memory.ts';
import { type Done, workOf } from './node-costs.ts';
import { filesOf, knownFile, partOf } from './parts.ts';

export interface NodeCost {
  /** Work and loading. */
  readonly seconds: number;
  /** Of these, reading models and moving them onto the card. */
  readonly loading: number;
  /** Of the node cache: equal keys, equal work. */
  readonly key: string;
}

export interface PromptCosts {
  readonly seconds: number;
  readonly loading: number;
  /** Models, text encoders, VAEs and ControlNets that were moved onto the card, wholly or in part. */
  readonly modelLoads: number;
  /** From the disk. */
  readonly bytesRead: number;
  /** Onto the card. */
  readonly bytesMoved: number;
  readonly samplerSteps: number;
  readonly nodes: Readonly<Record<string, NodeCost>>;
  /** What was moved onto the card, with its bytes; a part with other LoRAs is another. */
  readonly parts: Readonly<Record<string, number>>;
}

export interface PromptAccount {
  /** A node has run. Gives what its result holds in memory besides pixels. */
  node(done: Done, scene: Scene): number;
  costs(): PromptCosts;
}

export interface Account {
  begin(keys: ReadonlyMap<string, string>): PromptAccount;
  /** A cached result is gone, and with it the model that it held. */
  drop(key: string): void;
  /** The card is emptied, as by `/free`; what is loaded stays in main memory. */
  unload(): void;
  /** The process ended: nothing is loaded. The system's page cache still has the files. */
  restart(): void;
}

/** `warm`: files (`folder/name`) that are in main memory already. */
export function createAccount(prices: Prices, warm: readonly string[] = []): Account {
  const memory = createMemory(prices);
  for (const file of warm) for (const use of knownFile(prices, file)) memory.open(use);
  /** Cache key of a loader → number of its latest run. */
  const loads = new Map<string, number>();
  let counter = 0;
  const instanceOf = (key: string): string => `${loads.get(key) ?? 0}:${key}`;
  const forget = (key: string): void => {
    if (loads.has(key)) memory.forget(instanceOf(key));
    loads.delete(key);
  };

  return {
    begin(keys) {
      const nodes: Record<string, NodeCost> = {};
      const moves: Record<string, number> = {};
      const total = { seconds: 0, loading: 0, modelLoads: 0, bytesRead: 0, bytesMoved: 0, samplerSteps: 0 };
      const add = (moved: Moved): number => {
        total.modelLoads += moved.loads;
        total.bytesRead += moved.bytesRead;
        total.bytesMoved += moved.bytesMoved;
        return moved.seconds;
      };
      const use = (scene: Scene, needs: readonly Lineage[]): { seconds: number; offloaded: number } => {
        const parts = needs.flatMap((lineage) => partOf(scene, prices, lineage, instanceOf(keys.get(lineage.loader) ?? '')) ?? []);
        const moved = memory.use(parts);
        for (const { id, patches, bytes } of moved.moved) {
          const name = `${id.slice(id.indexOf(':') + 1)} ${patches}`;
          moves[name] = (moves[name] ?? 0) + bytes;
        }
        return { seconds: add(moved), offloaded: moved.offloaded };
      };
      return {
        node(done, scene) {
          const key = keys.get(done.id) ?? '';
          const files = filesOf(scene, prices, done.id);
          if (files.length > 0) {
            forget(key);
            loads.set(key, (counter += 1));
          }
          let loading = files.reduce((sum, file) => sum + add(memory.open(file)), 0);
          const work = workOf(scene, prices, done);
          const used = use(scene, work.needs);
          loading += used.seconds;
          // What finds no room on the card is brought there anew at every step.
          const streamed = (used.offloaded / prices.transferBytesPerSecond) * work.steps;
          const seconds = loading + work.seconds + streamed;
          nodes[done.id] = { seconds, loading, key };
          total.seconds += seconds;
          total.loading += loading;
          total.samplerSteps += work.steps;
          return files.reduce((sum, { bytes }) => sum + bytes, 0);
        },
        costs: () => ({ ...total, nodes: { ...nodes }, parts: { ...moves } }),
      };
    },
    drop: forget,
    unload: () => memory.empty(),
    restart() {
      memory.empty();
      loads.clear();
    },
  };
}
