/** The drawing of a graph: zoomed with the wheel or the keys, moved by dragging, each node a button that tells all of itself. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { RunGraphNode } from '../../src/protocol/methods/run-graph.ts';
import { Icon } from '../parts/icon.tsx';
import { NodeBox } from './node-box.tsx';
import { type Drawing, placeNodes } from './place-nodes.ts';

interface GraphViewProps {
  readonly nodes: readonly RunGraphNode[];
  readonly chosen: string | undefined;
  readonly onChoose: (id: string | undefined) => void;
}

interface Camera {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

const LEAST_SCALE = 0.1;
const MOST_SCALE = 3;
/** Smaller than this nothing can be read: a wide graph begins at its left on a phone. */
const READABLE = 0.45;
/** A graph that fits is not blown up. */
const FIT_SCALE = 1.1;
const PAN = 60;

export function GraphView({ nodes, chosen, onChoose }: GraphViewProps) {
  const box = useRef<HTMLDivElement>(null);
  const [drawing, setDrawing] = useState<Drawing | undefined>(undefined);
  const [isImpossible, setImpossible] = useState(false);
  const [camera, setCamera] = useState<Camera>({ x: 0, y: 0, scale: 1 });
  const drag = useRef<{ readonly x: number; readonly y: number; readonly camera: Camera; moved: boolean } | undefined>(undefined);
  // States change all the time, the shape does not: only that is laid out again.
  const shape = JSON.stringify(
    nodes.map(({ id, classType, title, inputs }) => [id, classType, title, inputs.map(({ name, from }) => [name, from])]),
  );

  const fit = (to: Drawing | undefined = drawing, least = LEAST_SCALE): void => {
    const view = box.current;
    if (to === undefined || view === null) return;
    const scale = Math.max(least, Math.min(FIT_SCALE, view.clientWidth / to.width, view.clientHeight / to.height));
    setCamera({ x: Math.max(0, view.clientWidth - to.width * scale) / 2, y: (view.clientHeight - to.height * scale) / 2, scale });
  };
  useEffect(() => {
    let isGone = false;
    placeNodes(nodes)
      .then((placed) => {
        if (isGone) return;
        setDrawing(placed);
        fit(placed, READABLE);
      })
      .catch(() => setImpossible(true));
    return () => {
      isGone = true;
    };
  }, [shape]);

  // The facts of a node take room beside the graph: what was chosen stays in sight.
  useEffect(() => {
    const view = box.current;
    const placed = drawing?.nodes.find(({ node }) => node.id === chosen);
    if (view === null || placed === undefined) return;
    setCamera((old) => ({
      ...old,
      x: inside(old.x, placed.x * old.scale, placed.width * old.scale, view.clientWidth),
      y: inside(old.y, placed.y * old.scale, placed.height * old.scale, view.clientHeight),
    }));
  }, [chosen, drawing]);

  /** Around a point of the window, which stays where it is. */
  const zoom = (by: number, at?: { readonly x: number; readonly y: number }): void => {
    const view = box.current;
    if (view === null) return;
    setCamera((old) => {
      const scale = Math.max(LEAST_SCALE, Math.min(MOST_SCALE, old.scale * by));
      const { x, y } = at ?? { x: view.clientWidth / 2, y: view.clientHeight / 2 };
      return { scale, x: x - ((x - old.x) * scale) / old.scale, y: y - ((y - old.y) * scale) / old.scale };
    });
  };
  useEffect(() => {
    const view = box.current;
    if (view === null) return undefined;
    // Only with Ctrl or after a click into it: whoever scrolls the page past a graph is not caught by it.
    const wheel = (event: WheelEvent): void => {
      if (!event.ctrlKey && !view.contains(document.activeElement)) return;
      event.preventDefault();
      const { left, top } = view.getBoundingClientRect();
      zoom(Math.exp(-event.deltaY / 400), { x: event.clientX - left, y: event.clientY - top });
    };
    view.addEventListener('wheel', wheel, { passive: false });
    return () => view.removeEventListener('wheel', wheel);
  }, []);

  const press = (event: KeyboardEvent): void => {
    const pan = { ArrowLeft: [PAN, 0], ArrowRight: [-PAN, 0], ArrowUp: [0, PAN], ArrowDown: [0, -PAN] }[event.key];
    if (pan !== undefined) setCamera((old) => ({ ...old, x: old.x + (pan[0] ?? 0), y: old.y + (pan[1] ?? 0) }));
    else if (event.key === '+' || event.key === '=') zoom(1.2);
    else if (event.key === '-') zoom(1 / 1.2);
    else if (event.key === '0') fit();
    else if (event.key === 'Escape' && chosen !== undefined) onChoose(undefined);
    else return;
    event.preventDefault();
  };

  const states = new Map(nodes.map((node) => [node.id, node]));
  return (
    <div class="graph" aria-busy={drawing === undefined && !isImpossible}>
      <div
        ref={box}
        class="graph-view"
        tabIndex={0}
        role="group"
        aria-label="Graph. Arrow keys move it, plus and minus zoom, 0 shows all of it."
        onKeyDown={press}
        onPointerDown={(event) => {
          if (event.button === 0) drag.current = { x: event.clientX, y: event.clientY, camera, moved: false };
        }}
        onPointerMove={(event) => {
          const { current } = drag;
          if (current === undefined) return;
          const [dx, dy] = [event.clientX - current.x, event.clientY - current.y];
          if (!current.moved && Math.hypot(dx, dy) < 4) return;
          if (!current.moved) box.current?.setPointerCapture(event.pointerId);
          current.moved = true;
          setCamera({ ...current.camera, x: current.camera.x + dx, y: current.camera.y + dy });
        }}
        onPointerUp={() => (drag.current = undefined)}
        onPointerCancel={() => (drag.current = undefined)}
      >
        {isImpossible && <p class="graph-words">This graph could not be laid out. It can be copied as JSON above.</p>}
        {drawing !== undefined && (
          <svg class="graph-svg" role="presentation">
            <g style={{ transform: `translate(${String(camera.x)}px, ${String(camera.y)}px) scale(${String(camera.scale)})` }}>
              {drawing.lines.map(({ id, from, to, path }) => (
                <path
                  key={id}
                  d={path}
                  class={`link link-${states.get(from)?.state ?? 'waiting'} ${states.get(to)?.state === 'left-out' ? 'link-left-out' : ''} ${chosen === from || chosen === to ? 'link-chosen' : ''}`}
                />
              ))}
              {drawing.nodes.map((placed) => (
                <NodeBox
                  key={placed.node.id}
                  placed={placed}
                  node={states.get(placed.node.id) ?? placed.node}
                  isChosen={chosen === placed.node.id}
                  onChoose={() => onChoose(chosen === placed.node.id ? undefined : placed.node.id)}
                />
              ))}
            </g>
          </svg>
        )}
      </div>
      <div class="graph-tools">
        <button type="button" class="icon-button" aria-label="Larger" title="Larger (+)" onClick={() => zoom(1.25)}>
          <Icon name="plus" />
        </button>
        <button type="button" class="icon-button" aria-label="Smaller" title="Smaller (−)" onClick={() => zoom(1 / 1.25)}>
          <Icon name="minus" />
        </button>
        <button type="button" class="icon-button" aria-label="Show all of it" title="All of it (0)" onClick={() => fit()}>
          <Icon name="fit" />
        </button>
      </div>
    </div>
  );
}

// --- helpers ---

const MARGIN = 16;

/** The camera moved as little as it takes to have a stretch of the drawing inside. */
function inside(camera: number, from: number, length: number, room: number): number {
  const most = room - MARGIN - length - from;
  return Math.max(MARGIN - from, Math.min(camera, most));
}
