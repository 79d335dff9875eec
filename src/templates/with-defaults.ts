/** Rewrites a manifest's id, version, title and defaults in its text: everything else stays byte for byte as its author wrote it. */
import { parseJson } from '#graph/json.ts';
import type { JsonNode, JsonObject } from '#graph/types.ts';
import { currentManifest } from './migrate-format.ts';
import { objectAt } from './locate.ts';

export interface ManifestChanges {
  /** Top-level members. */
  readonly fields?: Readonly<Record<string, string | boolean>>;
  /** Parameter → JSON text of its new default; undefined takes the default away, so that the value must be given. */
  readonly defaults?: ReadonlyMap<string, string | undefined>;
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The text must be a manifest that compiled; one of an older format comes out in today's. Undefined when it is no JSON object. */
export function changeManifest(written: string, { fields = {}, defaults = new Map() }: ManifestChanges): string | undefined {
  const text = currentManifest(written);
  const { root } = parseJson(text);
  if (root?.kind !== 'object') return undefined;
  const edits: Edit[] = Object.entries(fields).flatMap(([name, value]) => setMember(text, root, name, JSON.stringify(value)));
  const parameters = objectAt(root, 'parameters');
  for (const [name, value] of defaults) {
    const definition = objectAt(parameters, name);
    if (definition === undefined) continue;
    if (value === undefined) edits.push(...removeMember(definition, 'default'));
    else {
      edits.push(...setMember(text, definition, 'default', value));
      // A value stands there now; it need not be given again.
      const required = definition.members.findLast(({ key }) => key.value === 'required')?.value;
      if (required !== undefined) edits.push({ start: required.start, end: required.end, text: 'false' });
    }
  }
  let out = '';
  let at = 0;
  for (const edit of edits.toSorted((a, b) => a.start - b.start)) {
    out += text.slice(at, edit.start) + edit.text;
    at = edit.end;
  }
  return out + text.slice(at);
}

function setMember(text: string, object: JsonObject, name: string, value: string): Edit[] {
  const found = object.members.findLast(({ key }) => key.value === name)?.value;
  if (found !== undefined) return [{ start: found.start, end: found.end, text: value }];
  const last = object.members.at(-1);
  const member = `${JSON.stringify(name)}: ${value}`;
  if (last === undefined) return [{ start: object.start + 1, end: object.end - 1, text: ` ${member} ` }];
  return [{ start: last.value.end, end: last.value.end, text: `,${spaceBefore(text, last.key)}${member}` }];
}

/** The white space in front of a member, so that a new one is laid out like its neighbour. */
function spaceBefore(text: string, node: JsonNode): string {
  const space = /\s*$/.exec(text.slice(Math.max(0, node.start - 200), node.start))?.[0] ?? '';
  return space === '' ? ' ' : space;
}

function removeMember(object: JsonObject, name: string): Edit[] {
  const at = object.members.findIndex(({ key }) => key.value === name);
  const found = object.members[at];
  if (found === undefined) return [];
  const before = object.members[at - 1];
  const after = object.members[at + 1];
  if (before !== undefined) return [{ start: before.value.end, end: found.value.end, text: '' }];
  return [{ start: found.key.start, end: after?.key.start ?? found.value.end, text: '' }];
}
