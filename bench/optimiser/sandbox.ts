/** The sandbox that stands for a ComfyUI server on a machine of the cost model. */
import { join } from 'node:path';
import type { CacheMode } from '#backends/sandbox/cache.ts';
import type { Prices } from '#backends/sandbox/costs/cost-model.ts';
import type { NodeResult } from '#backends/sandbox/nodes/define.ts';
import type { ResultMemo, Sandbox } from '#backends/sandbox/options.ts';
import { startSandbox } from '#backends/sandbox/server.ts';
import { sizeOf } from '#backends/sandbox/values.ts';

export interface Machine {
  readonly prices: Prices;
  readonly cache: 'classic' | 'ram';
  /** Files that were used today. */
  readonly pageCache: readonly string[];
  /** Model file names by folder. */
  readonly models: Readonly<Record<string, readonly string[]>>;
  readonly memo: ResultMemo;
}

export function openSandbox(dir: string, machine: Machine): Promise<Sandbox> {
  const { prices, pageCache, models, memo } = machine;
  const cache: CacheMode = machine.cache === 'classic' ? { kind: 'classic' } : { kind: 'ram', bytes: prices.ramBytes };
  return startSandbox({ dir: join(dir, 'sandbox'), latencyMs: 0, previews: false, prices, cache, pageCache, models, memo });
}

/** Results up to so many bytes of pixels, so that what a sequence needs again is drawn once; oldest go first. */
export function createMemo(capacity = 1.5e9): ResultMemo {
  const kept = new Map<string, { result: NodeResult; bytes: number }>();
  let total = 0;
  return {
    get: (key) => kept.get(key)?.result,
    put(key, result) {
      const bytes = result.outputs.reduce<number>((sum, value) => sum + sizeOf(value), 0);
      kept.set(key, { result, bytes });
      total += bytes;
      for (const [oldest, { bytes: freed }] of kept) {
        if (total <= capacity) return;
        kept.delete(oldest);
        total -= freed;
      }
    },
  };
}
