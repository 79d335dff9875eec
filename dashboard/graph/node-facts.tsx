/** Everything of one node: what it is, why it is where it is, its inputs as they were sent. */
import type { RunGraphNode } from '../../src/protocol/methods/run-graph.ts';
import { Facts } from '../parts/basics.tsx';
import { Icon } from '../parts/icon.tsx';
import { duration } from '../parts/words.ts';
import { NODE_LOOKS } from './node-looks.ts';

export function NodeFacts({ node, onClose }: { readonly node: RunGraphNode; readonly onClose: () => void }) {
  const { id, classType, title, state, seconds, why, into, step, inputs } = node;
  return (
    <aside class="node-facts" aria-label={`Node ${id}`}>
      <div class="node-facts-head">
        <h3>{title ?? classType}</h3>
        <button type="button" class="icon-button" aria-label="Close the node" onClick={onClose}>
          <Icon name="close" />
        </button>
      </div>
      <Facts
        rows={[
          ['Node', id],
          ['Class', <code>{classType}</code>],
          ['State', NODE_LOOKS[state].word],
          step === undefined ? undefined : ['Of step', step],
          seconds === undefined ? undefined : ['Took', duration(seconds * 1000)],
          why === undefined ? undefined : ['Why', why],
          into === undefined ? undefined : ['Its result comes from', `node ${into}`],
        ]}
      />
      {inputs.length > 0 && (
        <>
          <h4>Inputs</h4>
          <Facts
            rows={inputs.map(({ name, from, value }) => [
              name,
              from === undefined ? (
                <span class="value-text">{plain(value ?? '')}</span>
              ) : (
                `from node ${from.node}, output ${String(from.slot)}`
              ),
            ])}
          />
        </>
      )}
    </aside>
  );
}

/** A text without its quotes; everything else, long integers above all, exactly as it was sent. */
export function plain(value: string): string {
  if (!value.startsWith('"')) return value;
  try {
    return String(JSON.parse(value));
  } catch {
    // It was cut.
    return value.slice(1);
  }
}
