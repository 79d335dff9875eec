/** What a server says about itself: version, queue, features, object info. */
import { CallsheetError } from '#protocol/errors.ts';
import type { BackendDescription } from '../contract.ts';
import { engineOf } from './engine.ts';
import type { Http } from './http.ts';
import { MIB } from './http.ts';
import { finite, isFields, notComfyUI, parsePython, readObject, text } from './replies.ts';
import type { Fields } from './replies.ts';
import type { Timeouts } from './settings.ts';

export async function describeServer(http: Http, timeouts: Timeouts, draft: boolean, signal?: AbortSignal): Promise<BackendDescription> {
  const get = async (path: string) => http.send({ method: 'GET', path, timeoutMs: timeouts.getMs, signal });
  const [stats, prompt, features] = await Promise.all([get('/system_stats'), get('/prompt'), get('/features')]);
  const { system, devices } = readObject(http.address, 'the question for its state', stats);
  if (!isFields(system)) throw notComfyUI(http.address, 'the question for its state', stats);
  const exec = readObject(http.address, 'the question for its queue', prompt)['exec_info'];
  const queueRemaining = isFields(exec) ? finite(exec['queue_remaining']) : undefined;
  if (queueRemaining === undefined) throw notComfyUI(http.address, 'the question for its queue', prompt);
  // Servers before 0.3.50 or so have no /features.
  const flags = features.status === 200 ? readObject(http.address, 'the question for its features', features) : {};
  const vram = draft ? undefined : largestMemory(devices);
  const reserved = draft ? undefined : reservedMemory(devices);
  return {
    version: text(system['comfyui_version']) ?? 'unknown',
    draft,
    queueRemaining,
    ...(vram === undefined ? {} : { vram }),
    ...(reserved === undefined ? {} : { reserved }),
    capabilities: booleans(flags),
    engine: engineOf(system, devices, flags['callsheet_sandbox'] === true),
  };
}

/** A server on the processor lists its main memory as that of a device of type `cpu`. */
function largestMemory(devices: unknown): number | undefined {
  if (!Array.isArray(devices) || devices.length === 0) return undefined;
  const sizes = devices.map((device: unknown) => {
    if (!isFields(device)) return undefined;
    return device['type'] === 'cpu' ? 0 : finite(device['vram_total']);
  });
  return sizes.every((size) => size !== undefined) ? Math.max(...sizes) : undefined;
}

/** PyTorch keeps what it once took until it is told to empty its cache, which ComfyUI does after it has unloaded models. */
function reservedMemory(devices: unknown): number | undefined {
  if (!Array.isArray(devices)) return undefined;
  const sizes = devices.flatMap((device: unknown) =>
    isFields(device) && device['type'] !== 'cpu' ? (finite(device['torch_vram_total']) ?? []) : [],
  );
  return sizes.length === 0 ? undefined : sizes.reduce((sum, size) => sum + size, 0);
}

function booleans(flags: Fields): Record<string, boolean> {
  return Object.fromEntries(Object.entries(flags).filter((entry): entry is [string, boolean] => typeof entry[1] === 'boolean'));
}

/** 1–20 MB, and the server scans its model folders for every answer: asked for once. Throws BACKEND_NOT_COMFYUI for anything but a JSON object. */
export async function readObjectInfo(http: Http, timeouts: Timeouts): Promise<string> {
  const reply = await http.send({ method: 'GET', path: '/object_info', timeoutMs: timeouts.promptMs, maxBytes: 256 * MIB });
  if (reply.status !== 200) readObject(http.address, 'the question for its nodes', reply);
  if (!isFields(safely(reply.text))) throw notComfyUI(http.address, 'the question for its nodes', reply);
  return reply.text;
}

/**
 * ComfyUI ≥ 0.14 lists classes that it replaces, some 10 KiB with everything of its own. Older ones answer 404, which says nothing:
 * what is no JSON object, is larger than any such list or leads elsewhere counts as an empty one. Throws BACKEND_UNREACHABLE.
 */
export async function readNodeReplacements(http: Http, timeouts: Timeouts): Promise<string> {
  const request = { method: 'GET', path: '/node_replacements', timeoutMs: timeouts.getMs, maxBytes: 4 * MIB } as const;
  const reply = await http.send(request).catch((error: unknown) => {
    if (error instanceof CallsheetError && error.code === 'BACKEND_HTTP') return { status: 0, text: '' };
    throw error;
  });
  return reply.status === 200 && isFields(safely(reply.text)) ? reply.text : '{}';
}

function safely(source: string): unknown {
  try {
    return parsePython(source);
  } catch {
    return undefined;
  }
}

/** `a` at least `b`, for versions of three numbers; undefined when one is not. */
export function versionAtLeast(version: string, least: readonly [number, number, number]): boolean | undefined {
  const match = /^v?(\d+)\.(\d+)\.(\d+)/.exec(version);
  if (match === null) return undefined;
  for (const [index, floor] of least.entries()) {
    const part = Number(match[index + 1]);
    if (part !== floor) return part > floor;
  }
  return true;
}
