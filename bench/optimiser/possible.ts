/** What could be avoided at most: each piece of work that an output needs done once, each model moved onto the card once. */
import { isLink, isRecord, readJson } from '#backends/sandbox/json.ts';
import type { Prices } from '#backends/sandbox/costs/cost-model.ts';
import type { PlainRun } from './plain.ts';

/** Seconds of the least that would have given the same outputs, whatever the means. */
export function leastSeconds({ ledger, prompts }: PlainRun, prices: Prices): number {
  const work = new Map<string, number>();
  const parts = new Map<string, number>();
  for (const [place, { costs }] of ledger.entries()) {
    const prompt = prompts[place];
    if (costs === undefined || prompt === undefined) continue;
    const needed = ancestors(prompt.graph, prompt.outputNodes);
    for (const [id, { seconds, loading, key }] of Object.entries(costs.nodes)) if (needed.has(id)) work.set(key, seconds - loading);
    for (const [part, bytes] of Object.entries(costs.parts)) parts.set(part, Math.max(bytes, parts.get(part) ?? 0));
  }
  const moved = [...parts.values()].reduce((sum, bytes) => sum + bytes, 0);
  return [...work.values()].reduce((sum, seconds) => sum + seconds, 0) + moved / prices.transferBytesPerSecond;
}

/** Output nodes and everything they depend on; all nodes when a step names none. */
export function ancestors(text: string, outputNodes: readonly string[]): ReadonlySet<string> {
  const graph = readJson(text);
  if (!isRecord(graph)) return new Set();
  const seen = new Set<string>();
  const waiting = outputNodes.length > 0 ? [...outputNodes] : Object.keys(graph);
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    if (seen.has(id)) continue;
    seen.add(id);
    const node = graph[id];
    const inputs = isRecord(node) && isRecord(node['inputs']) ? node['inputs'] : {};
    for (const value of Object.values(inputs)) if (isLink(value)) waiting.push(value[0]);
  }
  return seen;
}
