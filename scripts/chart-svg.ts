// A statechart as SVG: ELK finds the places, this file draws the boxes, arrows and words.
import ElkConstructor, { type ElkExtendedEdge, type ElkNode } from 'elkjs/lib/elk.bundled.js';
import type { Chart, ChartNode } from '#machines/describe.ts';

const CHARACTER = 6.6;
const LINE = 15;
const OPTIONS = {
  'elk.algorithm': 'layered',
  'elk.direction': 'DOWN',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.json.edgeCoords': 'ROOT',
  'elk.layered.cycleBreaking.strategy': 'DEPTH_FIRST',
  'elk.layered.spacing.nodeNodeBetweenLayers': '40',
  'elk.spacing.nodeNode': '40',
  'elk.spacing.edgeLabel': '4',
  'elk.padding': '[top=44,left=20,bottom=20,right=20]',
};

interface Placed {
  readonly node: ChartNode;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export async function chartSvg(chart: Chart): Promise<string> {
  // The bundled file is CommonJS: its default import is the constructor, which its types call a module.
  const Elk = ElkConstructor as unknown as new () => { layout(graph: ElkNode): Promise<ElkNode> };
  const layout = await new Elk().layout({ id: 'root', layoutOptions: OPTIONS, children: childrenOf(chart, null), edges: edgesOf(chart) });
  const placed = place(chart, layout, 0, 0);
  const width = Math.ceil(layout.width ?? 0);
  const height = Math.ceil(layout.height ?? 0);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${String(width)} ${String(height)}" width="${String(width)}" height="${String(height)}" font-family="ui-monospace, Menlo, Consolas, monospace" font-size="11">`,
    `<title>Statechart of the ${escape(chart.id)} machine</title>`,
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="#444"/></marker></defs>',
    `<rect width="100%" height="100%" fill="#ffffff"/>`,
    ...placed.map((one) => box(one)),
    ...(layout.edges ?? []).map((edge) => arrow(edge)),
    '</svg>',
    '',
  ].join('\n');
}

function childrenOf(chart: Chart, parent: string | null): ElkNode[] {
  return chart.nodes
    .filter((node) => node.parent === parent)
    .map((node) => {
      const children = childrenOf(chart, node.id);
      const lines = [node.key, ...node.invokes];
      const width = Math.max(90, ...lines.map((line) => (line.length + 4) * CHARACTER));
      return {
        id: node.id,
        width,
        height: 24 + LINE * lines.length,
        ...(children.length === 0 ? {} : { children, layoutOptions: { 'elk.padding': OPTIONS['elk.padding'] } }),
      };
    });
}

/** Several events on one way are one arrow with several lines. */
function edgesOf(chart: Chart): ElkExtendedEdge[] {
  const labels = new Map<string, string[]>();
  for (const { source, target, label } of chart.edges) {
    const key = JSON.stringify([source, target]);
    labels.set(key, [...(labels.get(key) ?? []), label]);
  }
  return [...labels].map(([key, lines], index) => {
    const [source = '', target = ''] = JSON.parse(key) as string[];
    const text = lines.join('\n');
    const width = Math.max(...lines.map((line) => line.length)) * CHARACTER;
    return { id: `e${String(index)}`, sources: [source], targets: [target], labels: [{ text, width, height: LINE * lines.length }] };
  });
}

function place(chart: Chart, parent: ElkNode, x: number, y: number): Placed[] {
  return (parent.children ?? []).flatMap((child) => {
    const node = chart.nodes.find((one) => one.id === child.id);
    const at = { x: x + (child.x ?? 0), y: y + (child.y ?? 0), width: child.width ?? 0, height: child.height ?? 0 };
    return [...(node === undefined ? [] : [{ node, ...at }]), ...place(chart, child, at.x, at.y)];
  });
}

function box({ node, x, y, width, height }: Placed): string {
  const fill = node.kind === 'final' ? '#eef2ee' : node.kind === 'compound' ? '#fafafa' : '#f3f6fb';
  const shape = (inset: number) =>
    `<rect x="${at(x + inset)}" y="${at(y + inset)}" width="${at(width - 2 * inset)}" height="${at(height - 2 * inset)}" rx="7" fill="${fill}" stroke="#334" stroke-width="1"/>`;
  const texts = [node.key, ...node.invokes].map(
    (line, nth) =>
      `<text x="${at(x + 12)}" y="${at(y + 20 + nth * LINE)}"${nth === 0 ? ' font-weight="bold"' : ' fill="#777"'}>${escape(line)}</text>`,
  );
  const initial = node.isInitial
    ? `<circle cx="${at(x - 13)}" cy="${at(y - 9)}" r="4" fill="#334"/><path d="M${at(x - 11)} ${at(y - 7)} ${at(x + 2)} ${at(y + 4)}" stroke="#334" fill="none" marker-end="url(#tip)"/>`
    : '';
  return `<g>${shape(0)}${node.kind === 'final' ? shape(3) : ''}${texts.join('')}${initial}</g>`;
}

function arrow(edge: ElkExtendedEdge): string {
  const paths = (edge.sections ?? []).map(({ startPoint, bendPoints = [], endPoint }) => {
    const points = [startPoint, ...bendPoints, endPoint].map(({ x, y }) => `${at(x)} ${at(y)}`);
    return `<path d="M${points.join(' L')}" fill="none" stroke="#444" stroke-width="1" marker-end="url(#tip)"/>`;
  });
  const labels = (edge.labels ?? []).flatMap(({ text = '', x = 0, y = 0 }) =>
    text.split('\n').map((line, nth) => `<text x="${at(x)}" y="${at(y + 11 + nth * LINE)}" fill="#234">${escape(line)}</text>`),
  );
  return [...paths, ...labels].join('');
}

const at = (value: number) => String(Math.round(value * 10) / 10);

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
