/** The node cache: class, fingerprint, constants and ancestry make the key; node ids and `_meta` do not. */
import { createHash } from 'node:crypto';
import { isLink, type JsonRecord, printJson } from './json.ts';
import type { Catalogue } from './nodes/catalogue.ts';
import type { Environment, NodeResult } from './nodes/define.ts';
import { sizeOf } from './values.ts';
import { definitionOf, inputsOf } from './prompt-nodes.ts';

/** Oldest entries go first beyond this many bytes of pixels. */
const CAPACITY_BYTES = 512 * 1024 * 1024;

export interface NodeCache {
  get(key: string): NodeResult | undefined;
  put(key: string, result: NodeResult): void;
  clear(): void;
}

export function createNodeCache(capacity = CAPACITY_BYTES): NodeCache {
  const entries = new Map<string, { result: NodeResult; bytes: number }>();
  let total = 0;
  return {
    get(key) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      entries.delete(key);
      entries.set(key, entry);
      return entry.result;
    },
    put(key, result) {
      const bytes = result.outputs.reduce<number>((sum, value) => sum + sizeOf(value), 0);
      total += bytes - (entries.get(key)?.bytes ?? 0);
      entries.delete(key);
      entries.set(key, { result, bytes });
      for (const [oldest, { bytes: freed }] of entries) {
        if (total <= capacity || oldest === key) break;
        entries.delete(oldest);
        total -= freed;
      }
    },
    clear() {
      entries.clear();
      total = 0;
    },
  };
}

/**
 * Keys of all nodes that `ids` depend on. A link enters the key as its origin's own key and slot, so renumbering changes
 * nothing and any constant upstream does. A fingerprint of NaN never repeats.
 */
export function cacheKeys(prompt: JsonRecord, catalogue: Catalogue, environment: Environment): (id: string) => string {
  const keys = new Map<string, string>();
  let fresh = 0;
  const keyOf = (id: string): string => {
    const known = keys.get(id);
    if (known !== undefined) return known;
    const definition = definitionOf(prompt, id, catalogue);
    const hash = createHash('sha256').update(definition?.name ?? id);
    const inputs = inputsOf(prompt, id);
    const constants: JsonRecord = {};
    for (const name of Object.keys(inputs).toSorted()) {
      const value = inputs[name] ?? null;
      const linked = isLink(value);
      if (!linked) constants[name] = value;
      hash.update(linked ? `\0${name}\0link\0${keyOf(value[0])}\0${value[1]}` : `\0${name}\0${printJson(value, { bareNaN: true })}`);
    }
    const print = definition?.fingerprint?.(constants, environment);
    if (print !== undefined)
      hash.update(`\0fingerprint\0${Number.isNaN(print) ? `never ${(fresh += 1)} ${process.hrtime.bigint()}` : print}`);
    if (definition?.hidden !== undefined && Object.values(definition.hidden).includes('UNIQUE_ID')) hash.update(`\0id\0${id}`);
    const key = hash.digest('hex');
    keys.set(id, key);
    return key;
  };
  return keyOf;
}
