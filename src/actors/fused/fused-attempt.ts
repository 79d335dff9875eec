/** An attempt that does several steps at once, to everybody outside: whose progress it is, who failed, what each of them took. */
import type { ErrorData } from '#protocol/errors.ts';
import type { NodeTime, RemoteOutputs } from '#backends/contract.ts';
import type { ActorDeps, Lesson, RunMemory } from '../deps.ts';
import type { ExecuteInput } from '../logic.ts';
import { createNodeNames } from '../node-names.ts';
import { outputsOf } from './parts-home.ts';
import { partNode, type PartNode } from './part-nodes.ts';

/** What a failure of a shared prompt means. */
export type Failure =
  /** It is the failure of the step that it was sent for, as of any prompt. */
  | { readonly kind: 'own' }
  /** A step that shares it failed, or nobody knows which. With `outputs`, the first has everything that it was sent for. */
  | { readonly kind: 'shared'; readonly step: string; readonly outputs?: RemoteOutputs };

export interface FusedAttempt {
  /** The one that it was sent for first. */
  readonly steps: readonly string[];
  /** Whose node it is. */
  whose(node: string): PartNode;
  failureOf(error: ErrorData, outputs: RemoteOutputs | undefined): Failure;
  /** Reports how far the whole is, step by step. */
  progress(value: number, node: string | undefined): void;
  /** Takes back what was told of steps that shared it. */
  undone(): void;
  /** What it teaches, for each step. */
  lessons(lesson: Lesson, nodes: readonly NodeTime[] | undefined): readonly { readonly step: string; readonly lesson: Lesson }[];
}

export function createFusedAttempt(deps: ActorDeps, memory: RunMemory, input: ExecuteInput): FusedAttempt {
  const { runId, step, item, promptId, backendId } = input;
  const fused = memory.attempts.get(promptId)?.fused ?? [];
  const chain = [step, ...fused.map((part) => part.step)];
  const shares = sharesOf(deps, memory, chain, backendId);
  const tell = (id: string, value: number, node?: string) =>
    deps.onProgress({ runId, step: id, item: id === step ? item : 0, backend: backendId }, value, node);
  const whose = (node: string): PartNode => partNode(fused, node) ?? { step, node };
  const graphOf = (id: string) => memory.template.steps.find((one) => one.id === id)?.graph;
  /** The step that was told of last, by its place. */
  let at = 0;

  return {
    steps: chain,
    whose,
    failureOf(error, outputs) {
      const [first] = fused;
      if (first === undefined || !ABOUT_GRAPH.has(error.code)) return { kind: 'own' };
      const node = error.node ?? error.problems?.find((problem) => problem.node !== undefined)?.node;
      const part = node === undefined ? undefined : partNode(fused, node);
      if (node !== undefined && part === undefined) return { kind: 'own' };
      // Out of memory says nothing of the graph: as a failure of its own it is freed and tried again, by itself.
      if (part === undefined && error.code === 'OUT_OF_MEMORY') return { kind: 'own' };
      const isWhole = outputs !== undefined && hasAll(memory, step, outputsOf(outputs, fused));
      return { kind: 'shared', step: part?.step ?? first.step, ...(isWhole ? { outputs } : {}) };
    },
    progress(value, node) {
      const part = node === undefined ? undefined : partNode(fused, node);
      const named = part === undefined ? node : createNodeNames(memory, part.step).of(part.node);
      let begun = 0;
      for (const [place, id] of chain.entries()) {
        const share = shares[place] ?? 1;
        const isLast = place === chain.length - 1;
        if (value >= begun + share && !isLast) {
          if (at <= place) tell(id, 1);
          at = Math.max(at, place + 1);
          begun += share;
          continue;
        }
        tell(id, Math.max(0, Math.min(1, (value - begun) / share)), named);
        return;
      }
    },
    undone() {
      for (const id of chain.slice(1, at + 1)) tell(id, 0);
    },
    lessons(lesson, nodes = []) {
      if (fused.length === 0) return [{ step, lesson }];
      const whole = nodes.reduce((sum, { seconds }) => sum + seconds, 0);
      return chain.map((id) => {
        const isOf = (node: string) => whose(node).step === id;
        const own = nodes.filter(({ node }) => isOf(node)).reduce((sum, { seconds }) => sum + seconds, 0);
        const parts = lesson.flatMap(({ part, seconds }) => {
          // Without the times of nodes nobody knows whose it was.
          if (part === 'item') return whole > 0 ? [{ part, seconds: (seconds * own) / whole }] : [];
          if (!part.startsWith('node.')) return id === step && !part.startsWith('quiet.') ? [{ part, seconds }] : [];
          const node = part.slice('node.'.length);
          const { node: name } = whose(node);
          // What stands for a loader is none.
          const isItself = id === step || graphOf(id)?.nodes.get(name)?.classType === nodes.find((one) => one.node === node)?.className;
          return isOf(node) && isItself ? [{ part: `node.${name}`, seconds }] : [];
        });
        return { step: id, lesson: parts };
      });
    },
  };
}

// --- helpers ---

/** Only these are about a node, or about the graph as a whole. */
const ABOUT_GRAPH: ReadonlySet<string> = new Set(['NODE_FAILED', 'OUT_OF_MEMORY', 'PROMPT_REJECTED']);

/** Parts of the whole, by what the steps usually take; the same for all while that is not known of each. */
function sharesOf(deps: ActorDeps, { template }: RunMemory, chain: readonly string[], backend: string): readonly number[] {
  const means = chain.map((step) => deps.timings.of(template.id, step, backend).get('item')?.mean ?? 0);
  const whole = means.reduce((sum, mean) => sum + mean, 0);
  return means.every((mean) => mean > 0) ? means.map((mean) => mean / whole) : chain.map(() => 1 / chain.length);
}

function hasAll({ template }: RunMemory, id: string, { files, texts }: RemoteOutputs): boolean {
  const declared = Object.values(template.steps.find((step) => step.id === id)?.outputs ?? {});
  return files.length > 0 && declared.every((node) => node === '*' || [...files, ...texts].some((one) => one.node === node));
}
