/** Where the nodes of a graph stand and how its links run: a ComfyUI graph in, boxes with ports and lines out. */
import type { ElkNode } from 'elkjs/lib/elk-api.js';
import type { RunGraphNode } from '../../src/protocol/methods/run-graph.ts';
import { layOut } from './elk.ts';

export interface Line {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  /** `M x y L …` */
  readonly path: string;
}

export interface Placed {
  readonly node: RunGraphNode;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Links in, in order: each has a port at the height of its name. */
  readonly ports: readonly { readonly name: string; readonly y: number }[];
  /** Values, as they are shown. */
  readonly values: readonly { readonly name: string; readonly y: number }[];
}

export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly Placed[];
  readonly lines: readonly Line[];
}

/** Of a node, in pixels of the drawing. */
export const HEAD = 46;
export const ROW = 18;
const FOOT = 8;
const LEAST = 170;
const MOST = 260;
/** Pixels that a letter takes on average at the size of the title and of values. */
const LETTER = 7.1;
/** More values than these are in the list of the node's facts. */
export const VALUES = 4;

export async function placeNodes(nodes: readonly RunGraphNode[]): Promise<Drawing> {
  const known = new Map(nodes.map((node) => [node.id, node]));
  const boxes = nodes.map((node) => boxOf(node, known));
  const links = boxes.flatMap(({ node, ports }) =>
    ports.map(({ name, from }) => ({
      id: `${from.node}:${String(from.slot)}>${node.id}:${name}`,
      sources: [`${from.node} out ${String(from.slot)}`],
      targets: [`${node.id} in ${name}`],
      from: from.node,
      to: node.id,
    })),
  );
  const slots = new Map<string, Set<number>>();
  for (const { ports } of boxes) for (const { from } of ports) slots.set(from.node, (slots.get(from.node) ?? new Set()).add(from.slot));
  const laid = await layOut({
    id: 'graph',
    layoutOptions: {
      'elk.algorithm': 'layered',
      'elk.direction': 'RIGHT',
      'elk.layered.spacing.nodeNodeBetweenLayers': '56',
      'elk.spacing.nodeNode': '22',
      'elk.spacing.edgeNode': '18',
      'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
      'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
      'elk.padding': '[top=16,left=16,bottom=16,right=16]',
    },
    children: boxes.map(({ node, width, height, ports }): ElkNode => ({
      id: node.id,
      width,
      height,
      layoutOptions: { 'elk.portConstraints': 'FIXED_POS' },
      ports: [
        ...ports.map(({ name, y }) => ({
          id: `${node.id} in ${name}`,
          x: 0,
          y,
          width: 0,
          height: 0,
          layoutOptions: { 'elk.port.side': 'WEST' },
        })),
        ...[...(slots.get(node.id) ?? [])]
          .toSorted((a, b) => a - b)
          .map((slot, at) => ({
            id: `${node.id} out ${String(slot)}`,
            x: width,
            y: HEAD / 2 + at * 10,
            width: 0,
            height: 0,
            layoutOptions: { 'elk.port.side': 'EAST' },
          })),
      ],
    })),
    edges: links.map(({ id, sources, targets }) => ({ id, sources, targets })),
  });
  const places = new Map((laid.children ?? []).map((child) => [child.id, child]));
  const routes = new Map((laid.edges ?? []).map((edge) => [edge.id, edge.sections?.[0]]));
  return {
    width: laid.width ?? 0,
    height: laid.height ?? 0,
    nodes: boxes.map(({ node, width, height, ports, values }) => {
      const { x = 0, y = 0 } = places.get(node.id) ?? {};
      return { node, x, y, width, height, ports, values };
    }),
    lines: links.flatMap(({ id, from, to }) => {
      const route = routes.get(id);
      if (route === undefined) return [];
      return [{ id, from, to, path: rounded([route.startPoint, ...(route.bendPoints ?? []), route.endPoint]) }];
    }),
  };
}

/** As much of a text as a box of this width shows. */
export function cut(text: string, width: number, letter = LETTER): string {
  const most = Math.max(1, Math.floor(width / letter));
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length <= most ? line : `${line.slice(0, most - 1)}…`;
}

// --- helpers ---

interface Box {
  readonly node: RunGraphNode;
  readonly width: number;
  readonly height: number;
  readonly ports: readonly { readonly name: string; readonly y: number; readonly from: { readonly node: string; readonly slot: number } }[];
  readonly values: readonly { readonly name: string; readonly y: number }[];
}

/** A link to a node that is not drawn is no line; its name stands among the values' rows all the same. */
function boxOf(node: RunGraphNode, known: ReadonlyMap<string, RunGraphNode>): Box {
  const linked = node.inputs.flatMap(({ name, from }) => (from === undefined || !known.has(from.node) ? [] : [{ name, from }]));
  const ports = linked.map((port, at) => ({ ...port, y: HEAD + at * ROW + ROW / 2 }));
  const values = node.inputs
    .filter(({ value }) => value !== undefined)
    .slice(0, VALUES)
    .map(({ name }, at) => ({ name, y: HEAD + (ports.length + at) * ROW + ROW / 2 }));
  const longest = Math.max((node.title ?? node.classType).length + 4, node.classType.length + node.id.length + 4);
  return {
    node,
    width: Math.min(MOST, Math.max(LEAST, longest * LETTER + 28)),
    height: HEAD + (ports.length + values.length) * ROW + FOOT,
    ports,
    values,
  };
}

interface Point {
  readonly x: number;
  readonly y: number;
}

const RADIUS = 7;

/** Corners of a line rounded off. */
function rounded(points: readonly Point[]): string {
  const [first] = points;
  if (first === undefined) return '';
  const parts = [`M${round(first.x)} ${round(first.y)}`];
  for (let at = 1; at < points.length; at += 1) {
    const [before, here, after] = [points[at - 1], points[at], points[at + 1]];
    if (before === undefined || here === undefined) continue;
    if (after === undefined) parts.push(`L${round(here.x)} ${round(here.y)}`);
    else {
      const start = toward(here, before);
      const end = toward(here, after);
      parts.push(`L${round(start.x)} ${round(start.y)}Q${round(here.x)} ${round(here.y)} ${round(end.x)} ${round(end.y)}`);
    }
  }
  return parts.join('');
}

function toward(from: Point, to: Point): Point {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  const part = length === 0 ? 0 : Math.min(RADIUS, length / 2) / length;
  return { x: from.x + (to.x - from.x) * part, y: from.y + (to.y - from.y) * part };
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}
