/** The compiled template: everything that could be decided before a value was known. Pure data and parsed conditions. */
import type { NewNode, Rewiring } from '#graph/patch-graph.ts';
import type { Graph, JsonNode } from '#graph/types.ts';
import type { AssetKind, ColorSpace, MaterialMap } from '#protocol/assets.ts';
import type { Problem } from '#protocol/problem.ts';
import type { Condition } from './conditions.ts';
import type { ChoiceName } from './environment.ts';
import type { Placeholder, TextTemplate } from './grammar.ts';
import type { ConvertDefinition, Manifest, ParameterDefinition, TemplateSource, TimeoutPolicy } from './types.ts';

/** JSON text that goes in as it stands, or a string of the JSON that holds placeholders. */
export type Piece = string | TextTemplate;

/** One input of one node that is written when the step is rendered. */
export interface Site {
  readonly node: string;
  readonly input: string;
  readonly classType: string;
  /** Concatenated they are the JSON text of the input's value. */
  readonly pieces: readonly Piece[];
  readonly from: 'set' | 'workflow';
  /** What the workflow holds there; undefined when the input is added. */
  readonly current: JsonNode | undefined;
  /** Where the value was written, for problems. */
  readonly place: { readonly file: string; readonly line: number; readonly column: number; readonly pointer: string };
}

export interface CompiledStep {
  readonly id: string;
  readonly title: string | undefined;
  readonly backend: 'comfyui' | 'wan2gp' | 'sandbox';
  /** Name of the workflow file. */
  readonly workflow: string;
  /** Declared and implied by references, those through choices included, in the order of the template. */
  readonly needs: readonly string[];
  /** What must have ended before the step is planned: steps by id, choices as `choices.NAME`. A step that is seen only through a choice is not among them. */
  readonly waits: readonly string[];
  readonly each: Placeholder | undefined;
  readonly when: Condition | undefined;
  /** For Wan2GP settings: a graph with the one node `SETTINGS_NODE`, whose inputs are the settings. */
  readonly graph: Graph;
  readonly sites: readonly Site[];
  /** The sites of the lower profile: `sites`, with those that `lowMemory` writes in their place. Undefined when the step has none. */
  readonly lowMemory: readonly Site[] | undefined;
  readonly patches: readonly CompiledPatch[];
  /** False: the manifest wants its graph sent as it is. */
  readonly optimize: boolean;
  /** False: its results are neither kept nor taken; true: its author vouches for classes that nobody here knows. */
  readonly cache: boolean | undefined;
  /** False: it has a prompt of its own; true: it may share that of the step before, also where pixels then pass without being rounded. */
  readonly fuse: boolean | undefined;
  /** Output name → node id, or `*` for every file. */
  readonly outputs: Readonly<Record<string, string>>;
}

export type CompiledPatch = {
  /** Place in the list of the manifest, from 0. */
  readonly at: number;
  readonly when: Condition | undefined;
  /** Where it was written, for problems. */
  readonly place: Site['place'];
} & (
  | { readonly kind: 'bypass'; readonly nodes: readonly string[] }
  | {
      readonly kind: 'loras';
      readonly from: Placeholder;
      /** The entries may carry strengths of their own. */
      readonly weighted: boolean;
      readonly after: readonly string[];
      readonly strength: number | Placeholder;
    }
  | {
      readonly kind: 'swap';
      readonly node: string;
      readonly nodes: readonly NewNode[];
      readonly rewire: readonly Rewiring[];
      /** Placeholders in the inputs of `nodes`. */
      readonly sites: readonly Site[];
    }
);

export const SETTINGS_NODE = 'settings';

export interface CompiledChoice extends ChoiceName {
  readonly after: string;
  readonly from: Placeholder;
  readonly pick: CompiledPick;
  readonly into: string;
  readonly title: string | undefined;
  /** Milliseconds; undefined waits for ever. */
  readonly timeoutMs: number | undefined;
  readonly onTimeout: TimeoutPolicy;
  /** As with steps: what must have ended before there is anything to choose from. */
  readonly waits: readonly string[];
}

export interface CompiledPick {
  readonly min: number;
  /** Undefined: as many as there are. */
  readonly max: number | undefined;
  /** The pick is a list; else the one value itself. */
  readonly many: boolean;
}

export interface CompiledOutput {
  readonly from: Placeholder;
  readonly title: string | undefined;
  readonly embed: boolean;
  readonly convert: ConvertDefinition | undefined;
  /** Its conversion is more than pictures by themselves. */
  readonly needsFfmpeg: boolean;
  readonly asset: CompiledAsset | undefined;
}

export interface CompiledAsset {
  readonly kind: AssetKind;
  readonly name: TextTemplate | string | undefined;
  readonly collection: TextTemplate | string | undefined;
  readonly colorSpace: ColorSpace | undefined;
  readonly map: MaterialMap | undefined;
}

export interface CompiledTemplate {
  readonly id: string;
  readonly version: string;
  /** sha256 of the source. */
  readonly hash: string;
  readonly manifest: Manifest;
  readonly source: TemplateSource;
  readonly parameters: ReadonlyMap<string, ParameterDefinition>;
  /** Topological: every step stands after the ones it needs; else as in the manifest. */
  readonly steps: readonly CompiledStep[];
  readonly choices: readonly CompiledChoice[];
  readonly outputs: ReadonlyMap<string, CompiledOutput>;
  /** Warnings and notes; a template with errors is not compiled. */
  readonly problems: readonly Problem[];
}
