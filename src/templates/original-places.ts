/** Where something stands in a workflow in UI format, for problems that were found in what it was converted to. */
import { createLineIndex, member, parseJson } from '#graph/json.ts';
import type { JsonNode } from '#graph/types.ts';
import type { Problem } from '#protocol/problem.ts';

/**
 * Puts a problem at its node in the file; one inside a subgraph at the outermost instance, one of no node at the start. Lines of
 * the converted graph are not lines of the file. The text is read when the first problem comes.
 */
export function createRelocation(text: string): (problem: Problem) => Problem {
  let known: Places | undefined;
  return ({ line: _line, column: _column, pointer: _pointer, ...rest }) => {
    known ??= readPlaces(text);
    const outermost = rest.node?.split(':', 1)[0];
    const start = (outermost === undefined ? undefined : known.at.get(outermost)) ?? known.root?.start ?? 0;
    return { ...rest, ...known.lines.positionOf(start) };
  };
}

interface Places {
  readonly root: JsonNode | undefined;
  readonly lines: ReturnType<typeof createLineIndex>;
  /** Start of each node of the root graph by id. */
  readonly at: ReadonlyMap<string, number>;
}

function readPlaces(text: string): Places {
  const { root } = parseJson(text);
  const nodes = member(root, 'nodes');
  const at = new Map<string, number>();
  for (const node of nodes?.kind === 'array' ? nodes.items : []) {
    const id = member(node, 'id');
    if (id?.kind === 'number') at.set(id.raw, node.start);
    else if (id?.kind === 'string') at.set(id.value, node.start);
  }
  return { root, lines: createLineIndex(text), at };
}
