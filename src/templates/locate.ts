/** Turns a place in a JSON tree into the place fields of a Problem. */
import { positionOf } from '#graph/json.ts';
import type { JsonNode, JsonObject } from '#graph/types.ts';
import type { Problem, Severity } from '#protocol/problem.ts';

export type Path = readonly (string | number)[];

/** A parsed file: what a problem needs to point into it. */
export interface Located {
  readonly file: string;
  readonly text: string;
  readonly root: JsonNode;
}

export type ProblemDetails = Partial<Omit<Problem, 'code' | 'severity' | 'message' | 'file' | 'line' | 'column' | 'pointer'>> & {
  readonly severity?: Severity;
  /** Points at the member's key instead of its value. */
  readonly key?: boolean;
};

export function member(node: JsonNode | undefined, name: string): JsonNode | undefined {
  if (node?.kind !== 'object') return undefined;
  return node.members.findLast((each) => each.key.value === name)?.value;
}

export function objectAt(node: JsonNode | undefined, name: string): JsonObject | undefined {
  const found = member(node, name);
  return found?.kind === 'object' ? found : undefined;
}

export function pointerOf(path: Path): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** The node at `path`, or the deepest one on the way to it. */
export function nodeAt(root: JsonNode, path: Path, key = false): JsonNode {
  let node = root;
  for (const [depth, part] of path.entries()) {
    const found = node.kind === 'array' ? node.items[Number(part)] : member(node, String(part));
    if (found === undefined) return node;
    if (key && depth === path.length - 1 && node.kind === 'object') {
      return node.members.findLast((each) => each.key.value === part)?.key ?? found;
    }
    node = found;
  }
  return node;
}

/** A problem about the value (or, with `key`, the name) at `path`. */
export function problemAt(where: Located, path: Path, code: string, message: string, details: ProblemDetails = {}): Problem {
  const { key, severity, ...rest } = details;
  const { line, column } = positionOf(where.text, nodeAt(where.root, path, key).start);
  return { code, severity: severity ?? 'error', message, ...rest, file: where.file, line, column, pointer: pointerOf(path) };
}

/** A problem about a whole file that could not be looked into. */
export function problemIn(file: string, code: string, message: string, hint: string): Problem {
  return { code, severity: 'error', message, hint, file };
}
