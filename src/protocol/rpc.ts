/** The JSON-RPC 2.0 envelope: frames in, messages out, answers with the id exactly as it came (docs/protocol.md, Envelope). Pure. */
import { CallsheetError, ERRORS } from './errors.ts';
import type { ErrorCode, ErrorData } from './errors.ts';
import { WIRE_LIMITS, measureJson } from './json-limits.ts';
import type { JsonLimits, JsonMisfit } from './json-limits.ts';

/** JSON source text of an id: `7`, `"a"`, or `null` where the request's own can not be told. */
export type RawId = string;

export type Message =
  | { readonly kind: 'call'; readonly id: RawId; readonly method: string; readonly params: unknown }
  | { readonly kind: 'notification'; readonly method: string; readonly params: unknown }
  /** An answer to a call that this side made. Never answered, so that two peers can not answer each other for ever. */
  | { readonly kind: 'answer'; readonly id: RawId; readonly result?: unknown; readonly error?: unknown }
  | { readonly kind: 'invalid'; readonly id: RawId; readonly error: ErrorData };

export interface Frame {
  readonly batch: boolean;
  readonly messages: readonly Message[];
}

export interface FrameLimits extends JsonLimits {
  readonly batch: number;
}

export const FRAME_LIMITS: FrameLimits = { ...WIRE_LIMITS, batch: 50 };

/** One text frame as messages. Never throws: what does not fit comes back as `invalid` with the error to answer. */
export function parseFrame(text: string, limits: FrameLimits = FRAME_LIMITS): Frame {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse('null', 'PARSE_ERROR', 'The frame is not JSON.', 'Send one JSON-RPC message, or an array of them, as one text frame.');
  }
  const { misfit, ids } = measureJson(text, limits);
  if (Array.isArray(value)) {
    if (value.length === 0) return refuse('null', 'INVALID_REQUEST', 'The batch is empty.');
    if (value.length > limits.batch) {
      return refuse('null', 'INVALID_REQUEST', `The batch has more than ${limits.batch} messages; none of them was executed.`);
    }
    if (misfit !== undefined) return refuse('null', ...explain(misfit));
    return { batch: true, messages: value.map((item, index) => classify(item, ids[index])) };
  }
  if (misfit !== undefined) return refuse(isId(ids[0]) ? ids[0] : 'null', ...explain(misfit));
  return { batch: false, messages: [classify(value, ids[0])] };
}

export function formatResult(id: RawId, result: unknown): string {
  return `{"jsonrpc":"2.0","id":${id},"result":${JSON.stringify(result) ?? 'null'}}`;
}

export function formatError(id: RawId, data: ErrorData): string {
  return `{"jsonrpc":"2.0","id":${id},"error":${JSON.stringify({ code: ERRORS[data.code].rpc, message: data.message, data })}}`;
}

export function formatNotification(method: string, params: unknown): string {
  return `{"jsonrpc":"2.0","method":${JSON.stringify(method)},"params":${JSON.stringify(params)}}`;
}

export function formatCall(id: number, method: string, params: unknown): string {
  return `{"jsonrpc":"2.0","id":${id},"method":${JSON.stringify(method)},"params":${JSON.stringify(params ?? {})}}`;
}

/**
 * Params as an object: absent and `[]` count as `{}`, because there are no positional params to give.
 * Throws INVALID_PARAMS for null, scalars and arrays with items.
 */
export function namedParams(params: unknown): Readonly<Record<string, unknown>> {
  if (params === undefined || (Array.isArray(params) && params.length === 0)) return {};
  if (isObject(params)) return params;
  throw new CallsheetError('INVALID_PARAMS', 'Params must be an object with named members.', {
    hint: 'Write "params": {"name": value}; lists and null are not taken.',
  });
}

// --- helpers ---

function classify(value: unknown, rawId: string | undefined): Message {
  if (!isObject(value)) return invalid('null', 'A message must be an object.');
  const id = isId(rawId) ? rawId : 'null';
  if (value['jsonrpc'] !== '2.0') return invalid(id, 'The member "jsonrpc" must be the string "2.0".');
  if (rawId !== undefined && !isId(rawId)) {
    return invalid(
      'null',
      'The id must be a string or an integer within ±(2^53−1).',
      'Fractions, null, objects and lists are not taken as ids.',
    );
  }
  const { method } = value;
  if (method === undefined && rawId !== undefined && ('result' in value || 'error' in value)) {
    return { kind: 'answer', id, ...('error' in value ? { error: value['error'] } : { result: value['result'] }) };
  }
  if (typeof method !== 'string') return invalid(id, 'The member "method" must be a string.');
  if (rawId === undefined) return { kind: 'notification', method, params: value['params'] };
  return { kind: 'call', id, method, params: value['params'] };
}

function isId(raw: string | undefined): raw is string {
  if (raw === undefined) return false;
  return raw.startsWith('"') || (/^-?\d+$/.test(raw) && Number.isSafeInteger(Number(raw)));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function errorOf(code: ErrorCode, message: string, hint?: string): ErrorData {
  return { code, message, retryable: false, ...(hint === undefined ? {} : { hint }) };
}

function invalid(id: RawId, message: string, hint?: string): Message {
  return { kind: 'invalid', id, error: errorOf('INVALID_REQUEST', message, hint) };
}

function refuse(id: RawId, code: ErrorCode, message: string, hint?: string): Frame {
  return { batch: false, messages: [{ kind: 'invalid', id, error: errorOf(code, message, hint) }] };
}

function explain(misfit: JsonMisfit): [ErrorCode, string, string?] {
  switch (misfit.kind) {
    case 'depth':
      return ['INVALID_REQUEST', `The frame is nested deeper than ${misfit.limit} levels.`];
    case 'nodes':
      return [
        'INVALID_REQUEST',
        `The frame has more than ${misfit.limit} values.`,
        'Upload large data with POST /uploads and refer to it as asset:ID.',
      ];
    case 'string':
      return ['INVALID_REQUEST', `The frame has a string longer than ${misfit.limit} characters.`, 'Upload large data with POST /uploads.'];
    case 'prototype-key':
      return ['INVALID_REQUEST', 'The frame has a member named "__proto__", which is never taken.'];
    case 'unsafe-integer':
    default:
      return [
        'INVALID_PARAMS',
        'The frame has an integer beyond ±(2^53−1), which JSON readers round.',
        'Send it as a decimal string, e.g. "18446744073709551615".',
      ];
  }
}
