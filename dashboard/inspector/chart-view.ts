/** One statechart as SVG: drawn once for each machine, then only marked. */
import { activeStates, edgeKey } from './chart-moves.ts';
import { button, drawn, element } from './dom.ts';
import { LINE, type PlacedChart, type PlacedEdge, type PlacedNode } from './placed-chart.ts';

export interface Marks {
  /** Active states with dots; undefined: the machine does not exist here. */
  readonly value: string | undefined;
  /** Arrows that were gone last. */
  readonly way: readonly string[];
  /** It was ended from outside, where it stood. */
  readonly isStopped: boolean;
}

export interface ChartView {
  readonly element: HTMLElement;
  show(chart: PlacedChart, marks: Marks): void;
}

const MARGIN = 12;
/** The least scale at which the words of a chart are readable. */
const READABLE = 0.85;

export function createChartView(): ChartView {
  const box = element('div', { class: 'mi-chart', tabindex: 0, role: 'group', 'aria-label': 'Statechart' });
  const words = element('p', { class: 'mi-state', 'aria-live': 'polite' });
  /** Undefined: as it is readable. */
  let isFit: boolean | undefined;
  const size = button('', 'Size of the chart', () => {
    isFit = shown?.svg.classList.contains('mi-fit') !== true;
    resize();
  });
  const made = new Map<string, Drawing>();
  let shown: Drawing | undefined;
  box.append(element('div', { class: 'mi-chart-head' }, words, size));

  /** As a whole where its words can be read then; else in its own size, with what is active in sight. */
  function resize(): void {
    if (shown === undefined) return;
    const fits = isFit ?? box.clientWidth >= READABLE * Number(shown.svg.getAttribute('width'));
    shown.svg.classList.toggle('mi-fit', fits);
    size.textContent = fits ? '100 %' : 'Fit';
  }

  return {
    element: box,
    show(chart, marks) {
      let drawing = made.get(chart.id);
      if (drawing === undefined) made.set(chart.id, (drawing = draw(chart)));
      if (shown !== drawing) {
        shown?.svg.remove();
        box.append(drawing.svg);
        shown = drawing;
      }
      mark(drawing, chart, marks);
      resize();
      reveal(box, drawing);
      const text = sentence(chart, marks);
      if (words.textContent !== text) words.textContent = text;
    },
  };
}

// --- helpers ---

interface Drawing {
  readonly svg: SVGSVGElement;
  readonly nodes: ReadonlyMap<string, SVGElement>;
  readonly edges: ReadonlyMap<string, SVGElement>;
}

function draw(chart: PlacedChart): Drawing {
  const nodes = new Map(chart.nodes.map((node) => [node.id, drawNode(node)]));
  const edges = new Map(chart.edges.map((edge) => [edgeKey(edge), drawEdge(chart, edge)]));
  const [left, top] = [-MARGIN, -MARGIN];
  const [width, height] = [chart.width + 2 * MARGIN, chart.height + 2 * MARGIN];
  const svg = drawn(
    'svg',
    { class: 'mi-svg', viewBox: `${String(left)} ${String(top)} ${String(width)} ${String(height)}`, width, height, role: 'img' },
    drawn('title', {}, `Statechart of the ${chart.id} machine`),
    drawn('defs', {}, tip(chart, 'tip', 'mi-tip'), tip(chart, 'last', 'mi-tip mi-tip-last')),
    ...nodes.values(),
    ...edges.values(),
  );
  return { svg, nodes, edges };
}

function tip({ id }: PlacedChart, name: string, className: string): SVGElement {
  const shape = drawn('path', { d: 'M0 0 8 4 0 8z', class: className });
  const place = { viewBox: '0 0 8 8', refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: 'auto', markerUnits: 'userSpaceOnUse' };
  return drawn('marker', { id: `mi-${id}-${name}`, ...place }, shape);
}

function drawNode({ key, kind, invokes, isInitial, x, y, width, height }: PlacedNode): SVGElement {
  const group = drawn('g', { class: `mi-node mi-${kind}` });
  group.append(drawn('rect', { class: 'mi-box', x, y, width, height, rx: 7 }));
  if (kind === 'final') group.append(drawn('rect', { class: 'mi-inner', x: x + 3, y: y + 3, width: width - 6, height: height - 6, rx: 5 }));
  if (isInitial) {
    group.append(drawn('circle', { class: 'mi-dot', cx: x - 10, cy: y - 8, r: 4 }));
    group.append(drawn('path', { class: 'mi-initial', d: `M${String(x - 8)} ${String(y - 6)} ${String(x + 3)} ${String(y + 4)}` }));
  }
  group.append(drawn('text', { class: 'mi-key', x: x + 12, y: y + 20 }, key));
  for (const [nth, name] of invokes.entries()) {
    group.append(drawn('text', { class: 'mi-invoke', x: x + 12, y: y + 20 + (nth + 1) * LINE }, name));
  }
  return group;
}

function drawEdge({ id }: PlacedChart, { lines, labels }: PlacedEdge): SVGElement {
  const group = drawn('g', { class: 'mi-edge' });
  for (const points of lines) {
    const d = `M${points.map(([x, y]) => `${String(x)} ${String(y)}`).join(' L')}`;
    group.append(drawn('path', { class: 'mi-line', d, 'marker-end': `url(#mi-${id}-tip)` }));
    // Marked by a second line: a marker has one colour only.
    group.append(drawn('path', { class: 'mi-line mi-line-last', d, 'marker-end': `url(#mi-${id}-last)` }));
  }
  for (const { text, x, y } of labels) group.append(drawn('text', { class: 'mi-label', x, y }, text));
  return group;
}

function mark({ nodes, edges }: Drawing, chart: PlacedChart, { value, way, isStopped }: Marks): void {
  const active = new Set(value === undefined ? [] : activeStates(chart, value));
  for (const [id, node] of nodes) {
    node.classList.toggle('is-active', active.has(id) && !isStopped);
    node.classList.toggle('is-stopped', active.has(id) && isStopped);
  }
  const gone = new Set(way);
  for (const [key, edge] of edges) edge.classList.toggle('is-last', gone.has(key));
}

/** Only the chart's own box is scrolled. */
function reveal(box: HTMLElement, { nodes }: Drawing): void {
  const active = [...nodes.values()].findLast((node) => node.classList.contains('is-active') || node.classList.contains('is-stopped'));
  if (active === undefined) return;
  const [inner, outer] = [active.getBoundingClientRect(), box.getBoundingClientRect()];
  if (inner.left < outer.left || inner.right > outer.right) box.scrollLeft += inner.left + inner.width / 2 - outer.left - outer.width / 2;
  if (inner.top < outer.top + 40 || inner.bottom > outer.bottom)
    box.scrollTop += inner.top + inner.height / 2 - outer.top - outer.height / 2;
}

function sentence(chart: PlacedChart, { value, way, isStopped }: Marks): string {
  if (value === undefined) return `${chart.id}: not there yet`;
  const state = `${chart.id}: ${value.split('.').join(' › ')}${isStopped ? ', stopped here' : ''}`;
  const last = chart.edges.find((edge) => edgeKey(edge) === way.at(-1));
  return last === undefined ? state : `${state} — by ${last.labels.map(({ text }) => text).join(' or ')}`;
}
