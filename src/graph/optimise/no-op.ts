/** What there is to say of a node that hands on what it is given: when, which input, and where its source says so. */
import type { KnownValues } from './constant-values.ts';
import type { DraftNode } from './draft.ts';
import type { Picture } from './pictures.ts';

export interface NoOp {
  readonly classType: string;
  /** For tables. */
  readonly when: string;
  readonly source: string;
  /** Output → the input that is handed on; another output must not be in use. */
  readonly passes: (at: NodeView) => readonly (string | undefined)[] | undefined;
  /** What is handed on is a copy: nobody may be able to tell. */
  readonly isCopy?: boolean;
  /** Inputs that are never evaluated then. */
  readonly ignores?: (at: NodeView) => readonly string[];
  readonly why: string;
}

/** What the rows ask of a node. */
export interface NodeView {
  /** The known number of an input, integer or not. */
  number(name: string): number | undefined;
  word(name: string): string | undefined;
  truth(name: string): boolean | undefined;
  isLinked(name: string): boolean;
  /** Whether the graph says anything of the input at all. */
  has(name: string): boolean;
  picture(name: string): Picture;
  /** Class of the node that feeds the input. */
  source(name: string): string | undefined;
  /** Classes of the nodes that take what it gives. */
  readonly takers: readonly string[];
}

export function viewOf(node: DraftNode, known: KnownValues, around: Pick<NodeView, 'picture' | 'source' | 'takers'>): NodeView {
  return {
    ...around,
    number(name) {
      const value = known.input(node, name);
      if (value?.type === 'float') return value.value;
      return value?.type === 'int' && Number.isSafeInteger(Number(value.value)) ? Number(value.value) : undefined;
    },
    word(name) {
      const value = known.input(node, name);
      return value?.type === 'str' ? value.value : undefined;
    },
    truth(name) {
      const value = known.input(node, name);
      return value?.type === 'bool' ? value.value : undefined;
    },
    isLinked: (name) => node.inputs.get(name)?.link !== undefined,
    has: (name) => node.inputs.has(name),
  };
}

export const all = (at: NodeView, names: readonly string[], wanted: number): boolean => names.every((name) => at.number(name) === wanted);

export const whenZero =
  (input: string, ...passed: readonly string[]) =>
  (at: NodeView): readonly string[] | undefined =>
    at.number(input) === 0 ? passed : undefined;

export const HANDED_ON = 'ComfyUI hands its input on as it came';
