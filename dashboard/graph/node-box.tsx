/** One node as ComfyUI draws it: its title, the links that come in, the first of its values, and how it is. */
import type { RunGraphNode } from '../../src/protocol/methods/run-graph.ts';
import { iconPath } from '../parts/icon.tsx';
import { duration } from '../parts/words.ts';
import { plain } from './node-facts.tsx';
import { NODE_LOOKS } from './node-looks.ts';
import { cut, HEAD, type Placed } from './place-nodes.ts';

interface NodeBoxProps {
  readonly placed: Placed;
  /** With its present state. */
  readonly node: RunGraphNode;
  readonly isChosen: boolean;
  readonly onChoose: () => void;
}

const INSET = 14;

export function NodeBox({ placed: { x, y, width, height, ports, values }, node, isChosen, onChoose }: NodeBoxProps) {
  const { id, classType, title, state, seconds, inputs } = node;
  const look = NODE_LOOKS[state];
  const valueOf = new Map(inputs.map((input) => [input.name, input.value ?? '']));
  const name = title ?? classType;
  return (
    <g
      class={`node node-${state} ${isChosen ? 'node-chosen' : ''}`}
      transform={`translate(${String(x)} ${String(y)})`}
      role="button"
      tabindex={0}
      aria-pressed={isChosen}
      aria-label={`Node ${id}, ${name}: ${look.word}`}
      data-node={id}
      data-state={state}
      onClick={onChoose}
      onKeyDown={(event) => {
        if (event.key !== 'Enter' && event.key !== ' ') return;
        event.preventDefault();
        event.stopPropagation();
        onChoose();
      }}
    >
      <rect class="node-box" width={width} height={height} rx={9} />
      <path class="node-head" d={`M0 ${String(HEAD - 8)}V9a9 9 0 0 1 9-9H${String(width - 9)}a9 9 0 0 1 9 9V${String(HEAD - 8)}Z`} />
      <text class="node-title" x={INSET} y={17}>
        {cut(name, width - INSET * 2 - 26)}
      </text>
      <text class="node-class" x={INSET} y={32}>
        {cut(title === undefined ? `#${id}` : `${classType} #${id}`, width - INSET * 2, 6)}
      </text>
      {look.mark !== undefined && (
        <path class="node-mark" d={iconPath(look.mark)} transform={`translate(${String(width - INSET - 13)} 6) scale(0.62)`} />
      )}
      {seconds !== undefined && (
        <text class="node-seconds" x={width - INSET} y={32} text-anchor="end">
          {duration(seconds * 1000)}
        </text>
      )}
      {ports.map(({ name: port, y: at }) => (
        <g key={`in ${port}`}>
          <circle class="node-port" cx={0} cy={at} r={3.5} />
          <text class="node-input" x={INSET} y={at + 4}>
            {cut(port, width - INSET * 2, 6)}
          </text>
        </g>
      ))}
      {values.map(({ name: value, y: at }) => (
        <text key={`value ${value}`} class="node-value" x={INSET} y={at + 4}>
          <tspan class="node-input">{cut(value, width * 0.45, 6)} </tspan>
          <tspan>{cut(plain(valueOf.get(value) ?? ''), width - INSET * 2 - Math.min(value.length * 6.2, width * 0.45) - 8, 7)}</tspan>
        </text>
      ))}
    </g>
  );
}
