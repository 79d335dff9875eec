// Where the boxes, arrows and words of a statechart stand: found by ELK, alike for the pictures in docs/ and for the inspector's page.
import ElkConstructor, { type ElkExtendedEdge, type ElkNode, type ElkPoint } from 'elkjs/lib/elk.bundled.js';
import type { Chart } from '#machines/describe.ts';
import { LINE, type PlacedChart, type PlacedEdge, type PlacedNode } from '../dashboard/inspector/placed-chart.ts';

const CHARACTER = 6.6;
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

export async function layOut(chart: Chart): Promise<PlacedChart> {
  // The bundled file is CommonJS: its default import is the constructor, which its types call a module.
  const Elk = ElkConstructor as unknown as new () => { layout(graph: ElkNode): Promise<ElkNode> };
  const layout = await new Elk().layout({ id: 'root', layoutOptions: OPTIONS, children: childrenOf(chart, null), edges: edgesOf(chart) });
  return {
    id: chart.id,
    width: Math.ceil(layout.width ?? 0),
    height: Math.ceil(layout.height ?? 0),
    nodes: placeNodes(chart, layout, 0, 0),
    edges: (layout.edges ?? []).map((edge) => placeEdge(edge)),
  };
}

// --- helpers ---

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

function placeNodes(chart: Chart, parent: ElkNode, x: number, y: number): PlacedNode[] {
  return (parent.children ?? []).flatMap((child) => {
    const node = chart.nodes.find((one) => one.id === child.id);
    const at = { x: rounded(x + (child.x ?? 0)), y: rounded(y + (child.y ?? 0)) };
    const size = { width: rounded(child.width ?? 0), height: rounded(child.height ?? 0) };
    return [...(node === undefined ? [] : [{ ...node, ...at, ...size }]), ...placeNodes(chart, child, at.x, at.y)];
  });
}

function placeEdge({ sources, targets, sections = [], labels = [] }: ElkExtendedEdge): PlacedEdge {
  const point = ({ x, y }: ElkPoint) => [rounded(x), rounded(y)] as const;
  return {
    source: sources[0] ?? '',
    target: targets[0] ?? '',
    lines: sections.map(({ startPoint, bendPoints = [], endPoint }) => [startPoint, ...bendPoints, endPoint].map((one) => point(one))),
    labels: labels.flatMap(({ text = '', x = 0, y = 0 }) =>
      text.split('\n').map((line, nth) => ({ text: line, x: rounded(x), y: rounded(y + 11 + nth * LINE) })),
    ),
  };
}

const rounded = (value: number) => Math.round(value * 10) / 10;
