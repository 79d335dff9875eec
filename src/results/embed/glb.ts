/** Texts into binary glTF: `asset.extras` of its JSON, where ComfyUI's SaveGLB has them; every other byte of it stays (glTF 2.0 4.4). */
import { member, memberOf, parseJson } from '#graph/json.ts';
import { removeMembers, rewrite, type Splice } from '#graph/rewrite.ts';
import type { JsonObject } from '#graph/types.ts';
import { textAt, viewOf } from '../bytes.ts';
import type { ByteSource } from '../bytes.ts';
import { joined, type Plan, type Texts, uint32LE } from './pieces.ts';
import { readWhole } from './read-whole.ts';

const HEAD = 20;
/** Of the text that describes the model; its vertices stand elsewhere. */
const LARGEST_JSON = 16 * 1024 * 1024;

export async function planGlb(source: ByteSource, texts: Texts): Promise<Plan> {
  const head = await source.read(0, HEAD);
  const view = viewOf(head);
  const length = head.length === HEAD && textAt(head, 16, 4) === 'JSON' ? view.getUint32(12, true) : 0;
  if (length === 0 || length > LARGEST_JSON || view.getUint32(4, true) !== 2) return { refused: 'it is no glTF of version 2' };
  const bytes = await readWhole(source, HEAD, length);
  const json = bytes === null ? undefined : withExtras(bytes.toString('utf8'), texts);
  if (json === undefined) return { refused: 'its JSON cannot be read' };
  const content = Buffer.from(json, 'utf8');
  const padded = Buffer.concat([content, Buffer.alloc((4 - (content.length % 4)) % 4, ' ')]);
  const rest = { start: HEAD + length, end: source.size };
  const total = HEAD + padded.length + rest.end - rest.start;
  const newHead = Buffer.concat([head.subarray(0, 8), uint32LE(total), uint32LE(padded.length), Buffer.from('JSON', 'latin1')]);
  return { pieces: joined([newHead, padded, rest]) };
}

// --- helpers ---

/** Each text as a JSON text in a string, as ComfyUI writes them. */
function withExtras(text: string, texts: Texts): string | undefined {
  const json = text.trimEnd();
  const { root } = parseJson(json);
  const asset = member(root, 'asset');
  if (asset?.kind !== 'object') return undefined;
  const members = [...texts].map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  const extras = memberOf(asset, 'extras');
  if (extras === undefined) return rewrite(json, [added(asset, `"extras":{${members.join(',')}}`, asset.members.length > 0)]).text;
  if (extras.value.kind !== 'object') return undefined;
  const gone = new Set(extras.value.members.filter(({ key }) => texts.has(key.value)));
  const isLeft = extras.value.members.length > gone.size;
  return rewrite(json, [...removeMembers(extras.value, gone), added(extras.value, members.join(','), isLeft)]).text;
}

/** Before the closing brace. */
function added(object: JsonObject, text: string, hasOthers: boolean): Splice {
  return { start: object.end - 1, end: object.end - 1, parts: [`${hasOthers ? ',' : ''}${text}`] };
}
