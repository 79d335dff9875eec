/** Rewrites a text in places and knows afterwards where each character came from, so that findings in the new text point into the old one. */
import type { Problem } from '#protocol/problem.ts';
import { createLineIndex, parseJson, pointerTo } from './json.ts';
import type { JsonMember, JsonObject } from './types.ts';

export interface Span {
  /** Offsets in UTF-16 code units, `end` exclusive. */
  readonly start: number;
  readonly end: number;
}

/** What stands in place of a span: new text, or text of another span of the original, which keeps its place. */
export interface Splice extends Span {
  readonly parts: readonly (string | Span)[];
}

export interface Rewritten {
  readonly text: string;
  /** Offset in the original; new text counts as where it was put in. */
  readonly originOf: (offset: number) => number;
}

interface Piece {
  /** In the new text. */
  readonly at: number;
  readonly length: number;
  readonly from: number;
  readonly copied: boolean;
}

/** The splices do not overlap; of several at one offset the order stays. Everything outside them stays byte for byte. */
export function rewrite(text: string, splices: readonly Splice[]): Rewritten {
  const pieces: Piece[] = [];
  let out = '';
  const put = (part: string, from: number, copied: boolean): void => {
    if (part !== '') pieces.push({ at: out.length, length: part.length, from, copied });
    out += part;
  };
  let done = 0;
  for (const { start, end, parts } of splices.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    put(text.slice(done, start), done, true);
    for (const part of parts) {
      if (typeof part === 'string') put(part, start, false);
      else put(text.slice(part.start, part.end), part.start, true);
    }
    done = end;
  }
  put(text.slice(done), done, true);
  return { text: out, originOf: (offset) => originIn(pieces, offset, text.length) };
}

function originIn(pieces: readonly Piece[], offset: number, length: number): number {
  let low = 0;
  let high = pieces.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((pieces[middle]?.at ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  const piece = pieces[low];
  if (piece === undefined) return 0;
  return Math.min(length, piece.copied ? piece.from + Math.min(offset - piece.at, piece.length) : piece.from);
}

/** Leaves members out, each with the comma on the side where something stays. */
export function removeMembers({ members }: JsonObject, gone: ReadonlySet<JsonMember>): Splice[] {
  let kept = false;
  return members.flatMap((member, index) => {
    if (!gone.has(member)) {
      kept = true;
      return [];
    }
    const before = members[index - 1];
    if (kept && before !== undefined) return [{ start: before.value.end, end: member.value.end, parts: [] }];
    return [{ start: member.key.start, end: members[index + 1]?.key.start ?? member.value.end, parts: [] }];
  });
}

export type PlaceBack = (problem: Problem) => Problem;

/** Line, column and pointer of a finding in the new text become those of the original. */
export function placesBack(original: string, text: string, originOf: Rewritten['originOf']): PlaceBack {
  let tools:
    | { starts: readonly number[]; positionOf: ReturnType<typeof createLineIndex>['positionOf']; pointer: (at: number) => string }
    | undefined;
  return (problem) => {
    if (problem.line === undefined || problem.column === undefined) return problem;
    const { root } = tools === undefined ? parseJson(original) : { root: undefined };
    tools ??= {
      starts: lineStarts(text),
      positionOf: createLineIndex(original).positionOf,
      pointer: (at) => (root === undefined ? '' : pointerTo(root, at)),
    };
    const at = originOf((tools.starts[problem.line - 1] ?? 0) + problem.column - 1);
    const pointer = problem.pointer === undefined ? {} : { pointer: tools.pointer(at) };
    return { ...problem, ...tools.positionOf(at), ...pointer };
  };
}

function lineStarts(text: string): number[] {
  return [0, ...Array.from(text.matchAll(/\r\n|\r|\n/g), (found) => found.index + found[0].length)];
}
