/** The graphs of a run: which step and item, and the drawing of exactly what was sent. */
import { useEffect, useState } from 'preact/hooks';
import { CallsheetError } from '../../src/protocol/errors.ts';
import type { RunGraph, RunGraphNode } from '../../src/protocol/methods/run-graph.ts';
import type { RunView } from '../../src/protocol/views.ts';
import { replace, to } from '../app/router.ts';
import { GraphView } from '../graph/graph-view.tsx';
import { NodeFacts } from '../graph/node-facts.tsx';
import { NODE_STATES } from '../../src/protocol/methods/run-graph.ts';
import { NODE_LOOKS } from '../graph/node-looks.ts';
import { CopyButton, Empty } from '../parts/basics.tsx';
import { count } from '../parts/words.ts';
import { session } from '../state/connection.ts';
import type { OpenRun } from '../state/run.ts';

export function GraphTab({ run, view, step }: { readonly run: OpenRun; readonly view: RunView; readonly step: string | undefined }) {
  const running = view.steps.find(({ status }) => status === 'running') ?? view.steps[0];
  const chosen = view.steps.find(({ id }) => id === step) ?? running;
  const [item, setItem] = useState(0);
  const [graph, setGraph] = useState<RunGraph | undefined>(undefined);
  const [problem, setProblem] = useState<CallsheetError | undefined>(undefined);
  const [node, setNode] = useState<string | undefined>(undefined);
  const id = chosen?.id;
  const { length: seen } = run.events.value;
  const at = run.progress.value;
  // Another node at work is another picture; another percent is not.
  const working = at?.step === id ? at?.node : undefined;
  useEffect(() => {
    if (id === undefined) return undefined;
    let isGone = false;
    session
      .call('run/graph', { runId: view.runId, step: id, item })
      .then((found) => {
        if (isGone) return;
        setGraph(found);
        setProblem(undefined);
      })
      .catch((error: unknown) => {
        if (!isGone && error instanceof CallsheetError && error.code !== 'CONNECTION_LOST') setProblem(error);
      });
    return () => {
      isGone = true;
    };
  }, [view.runId, id, item, seen, working]);

  if (chosen === undefined) return <Empty icon="graph" title="The run has no steps" />;
  const fits = graph !== undefined && graph.step === chosen.id && graph.item === item;
  const chosenNode = graph?.nodes.find((one) => one.id === node);
  return (
    <div class="stack">
      <div class="filters">
        <label class="field-inline">
          <span>Step</span>
          <select
            value={chosen.id}
            onChange={(event) => {
              setItem(0);
              setNode(undefined);
              replace(to.run(view.runId, 'graph', event.currentTarget.value));
            }}
          >
            {view.steps.map((one) => (
              <option key={one.id} value={one.id}>
                {one.title ?? one.id}
              </option>
            ))}
          </select>
        </label>
        {chosen.items > 1 && (
          <label class="field-inline">
            <span>Item</span>
            <select value={item} onChange={(event) => setItem(Number(event.currentTarget.value))}>
              {Array.from({ length: chosen.items }, (_, one) => (
                <option key={one} value={one}>
                  {one + 1}
                </option>
              ))}
            </select>
          </label>
        )}
        {fits && (
          <span class="graph-about">
            {graph.source === 'sent'
              ? `As it was sent to ${graph.backend ?? 'its backend'}, attempt ${String(graph.attempt ?? 1)}`
              : 'As the template has it; nothing was sent'}
            <CopyButton text={graph.text} label="Copy the graph as JSON" />
          </span>
        )}
      </div>
      {problem !== undefined && <p class="quiet">{problem.message}</p>}
      {fits && graph.nodes.length > 0 && (
        <>
          <Legend nodes={graph.nodes} />
          <div class="graph-and-node">
            <GraphView key={`${graph.step}/${String(graph.item)}`} nodes={graph.nodes} chosen={node} onChoose={setNode} />
            {chosenNode !== undefined && <NodeFacts node={chosenNode} onClose={() => setNode(undefined)} />}
          </div>
        </>
      )}
      {fits && graph.nodes.length === 0 && (
        <>
          <p class="quiet">The settings of Wan2GP are no graph. This is what its step is given.</p>
          <pre class="text-file text-file-large">{graph.text}</pre>
        </>
      )}
      {!fits && problem === undefined && <div class="ghost ghost-graph" aria-busy="true" />}
    </div>
  );
}

// --- helpers ---

function Legend({ nodes }: { readonly nodes: readonly RunGraphNode[] }) {
  const counts = new Map<RunGraphNode['state'], number>();
  for (const { state } of nodes) counts.set(state, (counts.get(state) ?? 0) + 1);
  return (
    <ul class="legend" aria-label={count(nodes.length, 'node')}>
      {NODE_STATES.flatMap((state) => {
        const number = counts.get(state);
        return number === undefined ? [] : [{ state, number }];
      }).map(({ state, number }) => (
        <li key={state}>
          <span class={`legend-mark node-${state}`} />
          {NODE_LOOKS[state].word} <span class="dim">{number}</span>
        </li>
      ))}
    </ul>
  );
}
