/** Frames of ComfyUI's WebSocket: what arrived, read no further than needed (comfyui.md 2.1 and 2.2). */
import { isFields, list, parsePython, text } from './replies.ts';
import type { Fields } from './replies.ts';

/** Says that the prompt may have ended; the history has the last word. */
export interface EndHint {
  readonly end: 'success' | 'error' | 'interrupted' | 'idle';
  readonly data: Fields;
}

export type Frame =
  | { readonly kind: 'status' }
  | { readonly kind: 'started'; readonly promptId: string }
  | { readonly kind: 'cached'; readonly promptId: string; readonly nodes: readonly string[] }
  | { readonly kind: 'executing'; readonly promptId: string; readonly node: string }
  | { readonly kind: 'executed'; readonly promptId: string; readonly node: string; readonly shown: string; readonly output: unknown }
  | { readonly kind: 'end'; readonly promptId: string; readonly hint: EndHint }
  /** Not yet read: progress comes often and only the latest counts. */
  | { readonly kind: 'progress'; readonly source: string }
  | { readonly kind: 'other' };

export type ProgressFrame =
  | { readonly kind: 'node'; readonly promptId: string; readonly node: string; readonly value: number; readonly max: number }
  | { readonly kind: 'state'; readonly promptId: string; readonly nodes: Fields };

const OTHER: Frame = { kind: 'other' };
// json.dumps writes the type first and with a space; a peer that does not is read the long way.
const PROGRESS = /^\{"type": ?"progress(?:_state)?"/;

/** Never throws: a frame that cannot be read is `other`. */
export function readFrame(source: string): Frame {
  if (PROGRESS.test(source)) return { kind: 'progress', source };
  let message: unknown;
  try {
    message = parsePython(source);
  } catch {
    return OTHER;
  }
  if (!isFields(message)) return OTHER;
  const data = isFields(message['data']) ? message['data'] : {};
  const promptId = text(data['prompt_id']);
  if (message['type'] === 'status') return { kind: 'status' };
  if (promptId === undefined) return OTHER;
  switch (message['type']) {
    case 'execution_start':
      return { kind: 'started', promptId };
    case 'execution_cached':
      return { kind: 'cached', promptId, nodes: list(data['nodes']).map(String) };
    case 'executing':
      if (data['node'] === null || data['node'] === undefined) return { kind: 'end', promptId, hint: { end: 'idle', data } };
      return { kind: 'executing', promptId, node: nodeId(data) };
    case 'executed':
      return { kind: 'executed', promptId, node: text(data['node']) ?? nodeId(data), shown: nodeId(data), output: data['output'] };
    case 'execution_success':
      return { kind: 'end', promptId, hint: { end: 'success', data } };
    case 'execution_interrupted':
      return { kind: 'end', promptId, hint: { end: 'interrupted', data } };
    case 'execution_error':
      // An ExecutionBlocker's message: the prompt goes on and may succeed (comfyui.md 2.1).
      if (data['exception_type'] === 'ExecutionBlocked') return OTHER;
      return { kind: 'end', promptId, hint: { end: 'error', data } };
    case 'progress':
    case 'progress_state':
      return { kind: 'progress', source };
    default:
      return OTHER;
  }
}

/** The node of the graph that is shown for it, which differs from `node` inside an expansion. */
function nodeId(data: Fields): string {
  return text(data['display_node']) ?? text(data['node']) ?? JSON.stringify(data['node']);
}

export function readProgress(source: string): ProgressFrame | undefined {
  let message: unknown;
  try {
    message = parsePython(source);
  } catch {
    return undefined;
  }
  if (!isFields(message) || !isFields(message['data'])) return undefined;
  const data = message['data'];
  const promptId = text(data['prompt_id']);
  if (promptId === undefined) return undefined;
  if (message['type'] === 'progress_state') return { kind: 'state', promptId, nodes: isFields(data['nodes']) ? data['nodes'] : {} };
  const { value, max, node } = data;
  if (typeof value !== 'number' || typeof max !== 'number' || (typeof node !== 'string' && typeof node !== 'number')) return undefined;
  return { kind: 'node', promptId, node: String(node), value, max };
}

export interface PreviewFrame {
  /** Only event 4 names its prompt; event 1 belongs to the prompt that is executing. */
  readonly promptId?: string;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

const MEDIA: Readonly<Record<number, string>> = { 1: 'image/jpeg', 2: 'image/png' };

/** Event 1 (preview) and 4 (preview with metadata), big-endian; 3 is text for everybody, others belong to custom nodes. */
export function readPreview(frame: Buffer): PreviewFrame | undefined {
  if (frame.length <= 8) return undefined;
  const event = frame.readUInt32BE(0);
  const second = frame.readUInt32BE(4);
  if (event === 1) {
    const mediaType = MEDIA[second];
    return mediaType === undefined ? undefined : { mediaType, bytes: frame.subarray(8) };
  }
  if (event !== 4 || 8 + second >= frame.length) return undefined;
  let meta: unknown;
  try {
    meta = parsePython(frame.toString('utf8', 8, 8 + second));
  } catch {
    return undefined;
  }
  if (!isFields(meta)) return undefined;
  const mediaType = text(meta['image_type']);
  const promptId = text(meta['prompt_id']);
  if (promptId === undefined || (mediaType !== 'image/jpeg' && mediaType !== 'image/png')) return undefined;
  return { promptId, mediaType, bytes: frame.subarray(8 + second) };
}
