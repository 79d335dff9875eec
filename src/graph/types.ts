/** Shapes of the graph room: positioned JSON and ComfyUI graphs in API form. Pure data. */
import type { Severity } from '#protocol/problem.ts';

/** A JSON value with its place in the text. `start` and `end` are offsets in UTF-16 code units, `end` exclusive. */
export type JsonNode = JsonObject | JsonArray | JsonString | JsonNumber | JsonBoolean | JsonNull;

interface Span {
  readonly start: number;
  readonly end: number;
}
export interface JsonMember {
  readonly key: JsonString;
  readonly value: JsonNode;
}
export interface JsonObject extends Span {
  readonly kind: 'object';
  readonly members: readonly JsonMember[];
}
export interface JsonArray extends Span {
  readonly kind: 'array';
  readonly items: readonly JsonNode[];
}
export interface JsonString extends Span {
  readonly kind: 'string';
  readonly value: string;
}
/** The raw spelling is the truth: `8.0`, `18446744073709551615`, and Python's bare `NaN`, `Infinity`, `-Infinity`. */
export interface JsonNumber extends Span {
  readonly kind: 'number';
  readonly raw: string;
}
export interface JsonBoolean extends Span {
  readonly kind: 'boolean';
  readonly value: boolean;
}
export interface JsonNull extends Span {
  readonly kind: 'null';
}

/** Exact JSON in memory: integers beyond ±(2^53−1) are bigint, everything else is what JSON.parse gives (NaN and infinities allowed). */
export type JsonValue = null | boolean | number | bigint | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** JSON as every reader knows it: what travels to clients. */
export type WireValue = null | boolean | number | string | readonly WireValue[] | { readonly [key: string]: WireValue };

export interface GraphLink {
  readonly node: string;
  readonly slot: number;
}

export interface GraphInput {
  readonly name: string;
  readonly value: JsonNode;
  /** Set when the value is a link: a list of exactly [string, number]. */
  readonly link?: GraphLink;
}

export interface GraphNode {
  readonly id: string;
  readonly classType: string;
  /** `_meta.title`, when present. */
  readonly title?: string;
  readonly inputs: ReadonlyMap<string, GraphInput>;
  /** The node's own object, and its `inputs` object, in the text. */
  readonly at: JsonObject;
  readonly inputsAt: JsonObject;
}

/** A ComfyUI graph in API form: the text as it was read, and an index into it. Printing without edits gives the text back. */
export interface Graph {
  readonly text: string;
  readonly root: JsonObject;
  readonly nodes: ReadonlyMap<string, GraphNode>;
}

/** A problem before its place is known. */
export interface Finding {
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  readonly hint: string;
}

/** One input of a new node class: the value of an input of the old one, or a value of its own. */
export type InputMapping = { readonly to: string; readonly from: string } | { readonly to: string; readonly value: JsonValue };

/** A node class that was renamed or merged into another. */
export interface NodeReplacement {
  readonly from: string;
  readonly to: string;
  /** Absent: all inputs keep their names. An old input that no mapping names has no place in the new class. */
  readonly inputs?: readonly InputMapping[];
  /** Old slot → new slot; a slot that is not named keeps its number. */
  readonly outputs?: ReadonlyMap<number, number>;
  /** Names of the old widgets, in the order in which files in UI format save them. */
  readonly widgets?: readonly string[];
  /** Who says so, for people. */
  readonly source: string;
}
