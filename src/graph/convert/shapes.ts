/** The one shape that UI format 0.4, 1.0, subgraph definitions and group nodes are read into. */
import type { NodeClass } from '../node-classes.ts';
import type { JsonNode } from '../types.ts';
import type { Value } from './value.ts';

/** Ids of a subgraph's own input and output node. */
export const INPUT_NODE = '-10';
export const OUTPUT_NODE = '-20';

export interface UiLink {
  readonly id: string;
  origin: string;
  readonly originSlot: number;
  target: string;
  readonly targetSlot: number;
}

export interface UiInput {
  readonly name: string;
  /** Upper-case data type; `*` and the empty text match anything. */
  readonly type: string;
  link: string | undefined;
  /** The widget that this input was converted from or stands for. */
  widget: string | undefined;
  readonly label?: string;
  /** The file shows it as a socket: Use Everywhere may send to it. */
  open?: boolean;
  /** Inputs of a subgraph instance: the widget promoted to it. */
  promoted?: Promoted;
}

export interface UiOutput {
  readonly name: string;
  readonly type: string;
  readonly links: readonly string[];
}

export interface Promoted {
  value: Value | undefined;
  /** The widget it stands for is followed by a `control_after_generate` one. */
  readonly controlled: boolean;
}

export interface Widget {
  readonly name: string;
  value: Value | undefined;
  /** False for buttons and controls that the front end keeps to itself. */
  readonly sent: boolean;
  /** It has a place in `widgets_values`. */
  readonly saved: boolean;
  /** `control_after_generate` follows it. */
  readonly controlled: boolean;
}

/** `widgets_values` as the file has it. */
export interface SavedWidgets {
  readonly list?: readonly Value[];
  readonly byName?: ReadonlyMap<string, Value>;
  /** `widgets_values_named`, which front ends since 1.49.6 write as well. */
  readonly named?: ReadonlyMap<string, Value>;
}

export interface UiNode {
  id: string;
  readonly type: string;
  readonly title: string | undefined;
  /** 0 always, 2 never (muted), 4 bypassed. */
  readonly mode: number;
  inputs: UiInput[];
  /** In the order of the file. */
  readonly inputNames: readonly string[];
  outputs: UiOutput[];
  readonly saved: SavedWidgets;
  readonly properties: JsonNode | undefined;
  /** Where the node stands in the file. */
  readonly at: JsonNode;
  nodeClass?: NodeClass;
  widgets: Widget[];
  /** Set on instances of subgraphs and on group nodes. */
  subgraph?: UiGraph;
}

/** An input or output of a subgraph definition. */
export interface UiBoundary {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  links: string[];
}

export interface UiGraph {
  readonly id: string;
  readonly name: string;
  readonly nodes: UiNode[];
  readonly links: Map<string, UiLink>;
  readonly inputs: UiBoundary[];
  readonly outputs: UiBoundary[];
  readonly at: JsonNode;
}

export interface UiWorkflow {
  readonly root: UiGraph;
  /** Definitions by id; each is one object, however many instances it has. */
  readonly subgraphs: Map<string, UiGraph>;
  /** Legacy group nodes by name. */
  readonly groups: ReadonlyMap<string, JsonNode>;
  /** The highest node id that the file claims to have used. */
  readonly lastNodeId: number;
  readonly text: string;
}

export const MUTED = 2;
export const BYPASSED = 4;
