/** Compiled templates that were used last, within a bound of memory; the others are compiled again from their source. */
import type { CompiledTemplate } from './compiled.ts';

/** 64 MiB (issue 3, point 10). */
export const COMPILED_LIMIT_BYTES = 64 * 1024 * 1024;

/**
 * Heap that a compiled template takes for each UTF-16 unit of its source, the source included, and beside that.
 * Measured by bench/templates.ts, which prints estimate and truth side by side; rounded up.
 */
const BYTES_PER_UNIT = 18;
const BYTES_BESIDE = 4096;

export interface CompiledCache {
  get(key: string): CompiledTemplate | undefined;
  /** A template that alone is larger than the bound is not kept. */
  put(key: string, template: CompiledTemplate): void;
  drop(key: string): void;
  readonly count: number;
  /** Estimated. */
  readonly bytes: number;
  readonly limit: number;
}

export function createCompiledCache(limit: number = COMPILED_LIMIT_BYTES): CompiledCache {
  /** In the order of use, the oldest first. */
  const kept = new Map<string, { readonly template: CompiledTemplate; readonly bytes: number }>();
  let total = 0;

  const drop = (key: string): void => {
    total -= kept.get(key)?.bytes ?? 0;
    kept.delete(key);
  };
  return {
    limit,
    get(key) {
      const found = kept.get(key);
      if (found === undefined) return undefined;
      kept.delete(key);
      kept.set(key, found);
      return found.template;
    },
    put(key, template) {
      drop(key);
      const bytes = weightOf(template);
      if (bytes > limit) return;
      kept.set(key, { template, bytes });
      total += bytes;
      for (const oldest of kept.keys()) {
        if (total <= limit) break;
        drop(oldest);
      }
    },
    drop,
    get count() {
      return kept.size;
    },
    get bytes() {
      return total;
    },
  };
}

export function weightOf({ source }: CompiledTemplate): number {
  return BYTES_BESIDE + BYTES_PER_UNIT * unitsOf(source) + 2 * originalUnits(source);
}

/** Length of all texts of a source, in UTF-16 units. */
export function unitsOf({ manifest, workflows }: CompiledTemplate['source']): number {
  return Object.values(workflows).reduce((sum, text) => sum + text.length, manifest.length);
}

/** These are kept as they are, and nothing is made of them. */
function originalUnits({ originals = {} }: CompiledTemplate['source']): number {
  return Object.values(originals).reduce((sum, text) => sum + text.length, 0);
}
