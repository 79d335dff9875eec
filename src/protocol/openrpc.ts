/** The OpenRPC 1.3 document, made from the tables of methods and notifications. What the daemon sends unasked stands under `x-notifications`. */
import { ERRORS } from './errors.ts';
import type { ErrorCode } from './errors.ts';
import { METHODS } from './methods/index.ts';
import { CLIENT_NOTIFICATIONS, NOTIFICATIONS } from './notifications.ts';
import type { Notification } from './notifications.ts';
import type { JsonSchema, ObjectSchema } from './schema.ts';
import { PROTOCOL_VERSION } from './methods/system.ts';

interface Descriptor {
  readonly name: string;
  readonly required?: boolean;
  readonly schema: JsonSchema;
}

interface DescribedError {
  readonly code: number;
  readonly message: string;
  readonly data: { readonly code: string; readonly retryable: boolean };
}

interface DescribedNotification {
  readonly name: string;
  readonly summary: string;
  readonly paramStructure: 'by-name';
  readonly params: readonly Descriptor[];
}

interface DescribedMethod extends DescribedNotification {
  /** Absent: it is a notification, sent by clients. */
  readonly result?: Descriptor;
  readonly errors?: readonly DescribedError[];
  readonly 'x-scope'?: string;
  readonly 'x-mutation'?: boolean;
}

export interface OpenRpcDocument {
  readonly openrpc: '1.3.2';
  readonly info: { readonly title: string; readonly version: string; readonly 'x-protocol': number };
  readonly methods: readonly DescribedMethod[];
  /** `x-droppable`: may be left out for a client that reads slowly. */
  readonly 'x-notifications': readonly (DescribedNotification & { readonly 'x-droppable': boolean })[];
  /** Every code that there is: what is not listed with a method can meet any of them, like `INVALID_PARAMS` and `TOO_MANY_REQUESTS`. */
  readonly components: { readonly errors: Readonly<Record<string, DescribedError>> };
}

export function openRpcDocument(version: string): OpenRpcDocument {
  return {
    openrpc: '1.3.2',
    info: { title: 'Callsheet', version, 'x-protocol': PROTOCOL_VERSION },
    methods: [
      ...Object.values(METHODS).map((method) => ({
        name: method.name,
        summary: method.description,
        paramStructure: 'by-name' as const,
        params: descriptors(method.params.json),
        result: { name: 'result', schema: method.result.json },
        errors: method.errors.map((code) => describeError(code)),
        'x-scope': method.scope,
        'x-mutation': method.mutation,
      })),
      ...Object.entries(CLIENT_NOTIFICATIONS).map(([name, one]) => describeNotification(name, one)),
    ],
    'x-notifications': Object.entries(NOTIFICATIONS).map(([name, one]) => ({
      ...describeNotification(name, one),
      'x-droppable': one.droppable,
    })),
    components: { errors: Object.fromEntries((Object.keys(ERRORS) as ErrorCode[]).map((code) => [code, describeError(code)])) },
  };
}

// --- helpers ---

function describeNotification(name: string, { description, params }: Notification<unknown>): DescribedNotification {
  return { name, summary: description, paramStructure: 'by-name', params: descriptors(params.json) };
}

function descriptors({ properties = {}, required = [] }: ObjectSchema): readonly Descriptor[] {
  return Object.entries(properties).map(([name, schema]) => ({ name, required: required.includes(name), schema }));
}

function describeError(code: ErrorCode): DescribedError {
  const { rpc, meaning, retryable } = ERRORS[code];
  return { code: rpc, message: meaning, data: { code, retryable } };
}
