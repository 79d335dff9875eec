/** A statechart with the places of everything in it, in pixels from the upper left corner. */
import type { ChartNode } from '#machines/describe.ts';

/** Height of a line of text. */
export const LINE = 15;

export interface PlacedNode extends ChartNode {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface PlacedEdge {
  readonly source: string;
  readonly target: string;
  /** Lines from bend to bend, each as `[x, y]`. */
  readonly lines: readonly (readonly (readonly [number, number])[])[];
  /** Events on this way, one below the other. */
  readonly labels: readonly { readonly text: string; readonly x: number; readonly y: number }[];
}

export interface PlacedChart {
  readonly id: string;
  readonly width: number;
  readonly height: number;
  /** Outer ones first. */
  readonly nodes: readonly PlacedNode[];
  readonly edges: readonly PlacedEdge[];
}
