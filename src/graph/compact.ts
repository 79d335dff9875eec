/** JSON on one line, every name, text and number spelled as it was: what `printJson` would write otherwise (8 for 8.0) is another value to Python. */
import type { JsonNode } from './types.ts';

/** `text` is the one that the tree was read from. */
export function compactJson(node: JsonNode, text: string): string {
  if (node.kind === 'array') return `[${node.items.map((item) => compactJson(item, text)).join(',')}]`;
  if (node.kind !== 'object') return text.slice(node.start, node.end);
  const members = node.members.map(({ key, value }) => `${text.slice(key.start, key.end)}:${compactJson(value, text)}`);
  return `{${members.join(',')}}`;
}
