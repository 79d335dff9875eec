/** Reading what a server answered: JSON as Python writes it, and the difference between ComfyUI and something else. */
import { CallsheetError } from '#protocol/errors.ts';
import type { Address } from './address.ts';
import type { HttpReply } from './http.ts';

export type Fields = Readonly<Record<string, unknown>>;

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A string, or undefined for anything else. */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** A finite number, or undefined. */
export function finite(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/**
 * JSON as Python's json.dumps writes it: bare NaN and Infinity are read as null (ComfyUI#8548). Integers may lose precision:
 * nothing that is read here is ever sent back as a number. Throws SyntaxError.
 */
export function parsePython(source: string): unknown {
  try {
    return JSON.parse(source) as unknown;
  } catch (error) {
    if (!/\b(?:NaN|Infinity)\b/.test(source)) throw error;
    return JSON.parse(withoutNaN(source)) as unknown;
  }
}

function withoutNaN(source: string): string {
  return source.replaceAll(/"[^"\\]*(?:\\[^][^"\\]*)*"|-?\b(?:NaN|Infinity)\b/g, (token) => (token.startsWith('"') ? token : 'null'));
}

/** The reply as JSON object. Throws BACKEND_HTTP for error statuses and BACKEND_NOT_COMFYUI for answers of other programs. */
export function readObject(address: Address, what: string, reply: HttpReply): Fields {
  if (reply.status !== 200) throw httpError(address, what, reply);
  let value: unknown;
  try {
    value = parsePython(reply.text);
  } catch {
    throw notComfyUI(address, what, reply);
  }
  if (!isFields(value)) throw notComfyUI(address, what, reply);
  return value;
}

export function notComfyUI(address: Address, what: string, reply: HttpReply): CallsheetError {
  const kind =
    /html/i.test(reply.headers['content-type'] ?? '') || /^\s*</.test(reply.text) ? 'a web page' : 'something that ComfyUI does not say';
  return new CallsheetError('BACKEND_NOT_COMFYUI', `${address.label} answered ${what} with ${kind} (status ${reply.status}).`, {
    hint: 'Check the port of the backend address; behind a proxy, check its path and whether it asks for a login.',
  });
}

export function httpError(address: Address, what: string, reply: HttpReply): CallsheetError {
  const at = address.label;
  const { status } = reply;
  if (status === 401 || status === 403) {
    return new CallsheetError('BACKEND_HTTP', `The backend at ${at} refused ${what} (status ${status}).`, {
      hint: 'A proxy in front of ComfyUI asks for a key: give it to the backend as a header, for example Authorization.',
      retryable: false,
    });
  }
  if (status === 413) {
    return new CallsheetError('BACKEND_HTTP', `The backend at ${at} finds ${what} too large (status 413).`, {
      hint: 'Start ComfyUI with a larger --max-upload-size (megabytes, 100 by default), and raise the limit of a proxy in front of it.',
      retryable: false,
    });
  }
  if (status === 404 || status === 405) return notComfyUI(address, what, reply);
  const asked = retryAfter(reply);
  const details = { status, ...(asked === undefined ? {} : { retryAfterMs: asked }) };
  // A proxy's 502 to 504 means that ComfyUI itself is not there.
  if (status >= 502 && status <= 504) {
    return new CallsheetError('BACKEND_UNREACHABLE', `The proxy at ${at} cannot reach ComfyUI (status ${status}).`, {
      hint: 'Start ComfyUI behind the proxy.',
      details,
    });
  }
  return new CallsheetError('BACKEND_HTTP', `The backend at ${at} answered ${what} with status ${status}${firstLine(reply)}.`, {
    hint: status === 429 ? 'A proxy in front of ComfyUI limits how often it may be asked.' : "Look at the server's own log for the reason.",
    retryable: status >= 500 || status === 429,
    details,
  });
}

/** `Retry-After` in seconds or as a date (RFC 9110, 10.2.3), in milliseconds from now. */
function retryAfter(reply: HttpReply): number | undefined {
  const said = reply.headers['retry-after']?.trim();
  if (said === undefined) return undefined;
  if (/^\d{1,9}$/.test(said)) return Number(said) * 1000;
  const date = Date.parse(said);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

function firstLine(reply: HttpReply): string {
  if (/html/i.test(reply.headers['content-type'] ?? '')) return '';
  const line = reply.text.trim().split('\n')[0] ?? '';
  return line === '' ? '' : `: ${line.slice(0, 200)}`;
}
