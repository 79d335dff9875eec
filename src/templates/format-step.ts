/** One step from one format of manifests to the next: a pure function over exact JSON that says what it changes and where. */
import type { Splice } from '#graph/rewrite.ts';
import type { JsonNode, JsonObject } from '#graph/types.ts';

export interface FormatChange {
  readonly at: JsonNode;
  /** Half a sentence: `"params" is called "parameters"`. */
  readonly what: string;
}

export interface FormatStep {
  readonly from: number;
  readonly to: number;
  /** Never throws, whatever the manifest holds; what is wrong in it stays wrong, and is found by the check. */
  migrate(root: JsonObject, text: string): { readonly splices: readonly Splice[]; readonly changes: readonly FormatChange[] };
}
