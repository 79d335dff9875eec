/** The graph of one item with the state of its nodes: what was sent, what is known of it now, and what the optimiser had taken out before. */
import { partNode } from '#actors/fused/part-nodes.ts';
import { compactJson } from '#graph/compact.ts';
import { parseGraph } from '#graph/graph.ts';
import { redactJson } from '#graph/secrets.ts';
import type { Graph, GraphNode } from '#graph/types.ts';
import { CallsheetError } from '#protocol/errors.ts';
import type { NodeState, RunGraph, RunGraphNode } from '#protocol/methods/run-graph.ts';
import type { StepStatus, StepView } from '#protocol/views.ts';
import type { AttemptRow, ProvenanceRow, SavingsRow, Store } from '#store/types.ts';
import type { CompiledTemplate } from '#templates/compiled.ts';
import { isOfEarlierTry } from './earlier-try.ts';
import type { NodeWatch, SeenNodes } from './node-watch.ts';
import type { RunService } from './run-service.ts';
import { allEvents } from './run-view.ts';

export interface RunGraphParts {
  readonly store: Pick<Store, 'run' | 'events' | 'attempts' | 'provenance' | 'graph' | 'savings'>;
  readonly runs: Pick<RunService, 'get'>;
  readonly watch: Pick<NodeWatch, 'of'>;
  /** Throws SNAPSHOT_REFUSED. */
  readonly pinned: (hash: string) => CompiledTemplate;
}

export interface RunGraphQuery {
  readonly runId: string;
  readonly step: string;
  readonly item?: number;
}

/** Values are for reading: a picture as base64 is cut. */
const VALUE_LENGTH = 2000;

/** Throws RUN_NOT_FOUND, STEP_NOT_FOUND, SNAPSHOT_REFUSED. */
export type ReadRunGraph = (query: RunGraphQuery) => RunGraph;

export function createRunGraph({ store, runs, watch, pinned }: RunGraphParts): ReadRunGraph {
  return ({ runId, step: id, item = 0 }) => {
    const run = runs.get(runId);
    const row = store.run(runId);
    const step = row === undefined ? undefined : pinned(row.templateHash).steps.find((one) => one.id === id);
    const view = run.steps.find((one) => one.id === id);
    if (step === undefined || view === undefined) {
      const hint = `Its steps: ${run.steps.map((one) => one.id).join(', ')}.`;
      throw new CallsheetError('STEP_NOT_FOUND', `The run has no step '${id.slice(0, 64)}'.`, { hint });
    }
    const rows = store.attempts(runId);
    // Of a run that was never tried again the log need not be read.
    const events = run.tries === undefined ? [] : allEvents(store, runId);
    const isWhole = run.artifacts.some((one) => one.step === id && one.item === item && one.partial !== true);
    const attempts = rows.filter((one) => !isOfEarlierTry(one, events, { step: id, item }, isWhole));
    // A step that shares the prompt of another has no attempt of its own.
    const sent =
      newest(attempts.filter((one) => one.step === id && one.item === item)) ?? newest(attempts.filter((one) => isPart(one, id)));
    const hit = view.cache?.find((one) => one.item === item && one.result === 'hit');
    // Attempts of another step are counted by themselves; what the cache had in this try, no prompt of another gave.
    const isKept = hit !== undefined && (sent?.step !== id || hit.attempt > sent.attempt);
    const attempt = isKept ? undefined : sent;
    const kept = attempt === undefined ? undefined : store.provenance(runId).find((one) => one.promptId === attempt.promptId);
    const text = kept === undefined ? undefined : store.graph(kept.graph);
    const authored = withoutSecrets(step.graph);
    const format = step.backend === 'wan2gp' ? 'wan2gp' : 'api';
    const about = {
      step: id,
      item,
      ...(attempt === undefined ? {} : { attempt: attempt.attempt, backend: attempt.backend }),
      source: text === undefined ? ('template' as const) : ('sent' as const),
      format,
      text: text ?? authored.text,
    } as const;
    const graph = text === undefined ? authored : parseGraph(text).graph;
    if (graph === undefined || format === 'wan2gp') return { ...about, nodes: [] };
    const states = statesOf(graph, { view, attempt, kept, isKept, seen: seenOf(watch, runId, attempt, id, item) });
    const nodes = [...graph.nodes.values()].map((node) => nodeView(graph, node, states.get(node.id) ?? { state: 'waiting' }, attempt));
    const isOwn = attempt === undefined || attempt.step === id;
    return {
      ...about,
      nodes: text === undefined ? nodes : [...nodes, ...(isOwn ? leftOut(authored, graph, own(store.savings(runId), id, item)) : [])],
    };
  };
}

// --- helpers ---

interface Known {
  readonly view: StepView;
  readonly attempt: AttemptRow | undefined;
  readonly kept: ProvenanceRow | undefined;
  readonly isKept: boolean;
  readonly seen: SeenNodes | undefined;
}

interface NodeFate {
  readonly state: NodeState;
  readonly seconds?: number;
}

function newest(attempts: readonly AttemptRow[]): AttemptRow | undefined {
  return attempts.toSorted((a, b) => a.attempt - b.attempt).at(-1);
}

function isPart({ fused = [] }: AttemptRow, step: string): boolean {
  return fused.some((part) => part.step === step);
}

/** Reports are told by step and by the ids that nodes have there; in a shared prompt they carry the name of their step. */
function seenOf(
  watch: Pick<NodeWatch, 'of'>,
  runId: string,
  attempt: AttemptRow | undefined,
  step: string,
  item: number,
): SeenNodes | undefined {
  if (attempt?.fused === undefined || attempt.fused.length === 0) return watch.of(runId, step, item);
  const parts = [
    { step: attempt.step, prefix: '', item },
    ...attempt.fused.map((part) => ({ step: part.step, prefix: `${part.step}/`, item: 0 })),
  ];
  const heard = parts.flatMap((part) => {
    const nodes = watch.of(runId, part.step, part.item);
    return nodes === undefined ? [] : [{ seen: [...nodes.seen].map((id) => part.prefix + id), current: part.prefix + nodes.current }];
  });
  const last = heard.at(-1);
  return last === undefined ? undefined : { seen: new Set(heard.flatMap((one) => one.seen)), current: last.current };
}

/** Statuses in which an item is with its backend. */
const AT_WORK: ReadonlySet<string> = new Set<StepStatus>(['running', 'unresponsive', 'unknown', 'cancelling']);

function statesOf(graph: Graph, { view, attempt, kept, isKept, seen }: Known): ReadonlyMap<string, NodeFate> {
  const states = new Map<string, NodeFate>();
  const all = (state: NodeState): ReadonlyMap<string, NodeFate> => {
    for (const id of graph.nodes.keys()) if (!states.has(id)) states.set(id, { state });
    return states;
  };
  if (isKept) return all('kept');
  if (attempt === undefined) return all('waiting');
  const done = (ids: Iterable<string>): void => {
    for (const id of ids) if (!states.has(id)) states.set(id, { state: 'done' });
  };
  if (attempt.status === 'finished') {
    const times = kept?.times?.nodes;
    for (const { node, seconds } of times ?? []) if (graph.nodes.has(node)) states.set(node, { state: 'done', seconds });
    return all(times === undefined ? 'done' : 'cached');
  }
  const failed = attempt.error?.node;
  if (failed !== undefined && graph.nodes.has(failed)) {
    states.set(failed, { state: 'failed' });
    done(before(graph, [failed]));
    return all('unknown');
  }
  const isAtWork = AT_WORK.has(view.status) && attempt.endedAt === null;
  if (seen !== undefined) {
    const current = graph.nodes.has(seen.current) ? seen.current : undefined;
    if (current !== undefined) states.set(current, { state: isAtWork ? 'running' : 'unknown' });
    done([...seen.seen].filter((id) => graph.nodes.has(id)));
    // A node begins when everything that it takes has been made.
    done(before(graph, [...states.keys()]));
  }
  return all(attempt.endedAt === null ? 'waiting' : 'unknown');
}

/** A template may carry a key of its author's; what was sent is stored without any. */
function withoutSecrets(graph: Graph): Graph {
  const { text, places } = redactJson(graph.text);
  return places.length === 0 ? graph : (parseGraph(text).graph ?? graph);
}

function own(savings: readonly SavingsRow[], step: string, item: number): readonly SavingsRow[] {
  return savings.filter((row) => row.step === step && (row.item === null || row.item === item));
}

/** Every node that those take something of, near or far. */
function before(graph: Graph, ids: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>();
  const open = [...ids];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    for (const { link } of graph.nodes.get(id)?.inputs.values() ?? []) {
      if (link === undefined || found.has(link.node) || !graph.nodes.has(link.node)) continue;
      found.add(link.node);
      open.push(link.node);
    }
  }
  return found;
}

/** Nodes of the author's graph that are not in what was sent, each with the reason of the pass that took it out. */
function leftOut(authored: Graph, sent: Graph, savings: readonly SavingsRow[]): readonly RunGraphNode[] {
  const found = new Map<string, RunGraphNode>();
  for (const { why, nodes } of savings.flatMap((row) => row.savings)) {
    for (const { id, into } of nodes) {
      const node = authored.nodes.get(id);
      if (node === undefined || sent.nodes.has(id) || found.has(id)) continue;
      found.set(id, { ...nodeView(authored, node, { state: 'left-out' }), why, ...(into === undefined ? {} : { into }) });
    }
  }
  return [...found.values()];
}

function nodeView(
  { text }: Graph,
  { id, classType, title, inputs }: GraphNode,
  { state, seconds }: NodeFate,
  attempt?: AttemptRow,
): RunGraphNode {
  const part = partNode(attempt?.fused ?? [], id);
  return {
    id,
    classType,
    ...(title === undefined ? {} : { title }),
    state,
    ...(seconds === undefined ? {} : { seconds }),
    ...(part === undefined ? {} : { step: part.step }),
    inputs: [...inputs.values()].map(({ name, link, value }) => ({
      name,
      ...(link === undefined ? { value: compactJson(value, text).slice(0, VALUE_LENGTH) } : { from: { node: link.node, slot: link.slot } }),
    })),
  };
}
