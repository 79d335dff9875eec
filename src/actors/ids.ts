/** Deterministic ids: the same run, step, item and attempt always give the same prompt id (DESIGN 1). */
import { v5, v7 } from 'uuid';
import type { PrepareInput } from './logic.ts';

/** Our own namespace, drawn once. Changing it would orphan every attempt in flight. */
const NAMESPACE = '5b0e6f5c-8f0a-4c1e-9f0e-3a4d2c7b9e10';

/** Canonical lower-case UUIDv5; ComfyUI refuses any other spelling since early 2026. */
export function promptIdOf(key: Pick<PrepareInput, 'runId' | 'step' | 'item' | 'attempt'>): string {
  return v5([key.runId, key.step, String(key.item), String(key.attempt)].join('\n'), NAMESPACE);
}

export function artifactIdOf(promptId: string, node: string, index: number): string {
  return v5([promptId, node, String(index)].join('\n'), NAMESPACE);
}

/** Of what an output of the template made of files: the same whenever it is made again. */
export function convertedIdOf(runId: string, output: string, nth: number, step: string, item: number): string {
  return v5([runId, 'convert', output, String(nth), step, String(item)].join('\n'), NAMESPACE);
}

/** Ordered by time of creation, for lists; never used to order events. */
export function newRunId(): string {
  return v7();
}
