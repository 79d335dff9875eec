/** The OpenRPC 1.3 document, made from the method table. */
import { ERRORS } from './errors.ts';
import type { ErrorCode } from './errors.ts';
import { METHODS } from './methods/index.ts';
import type { JsonSchema } from './schema.ts';
import { PROTOCOL_VERSION } from './methods/system.ts';

interface ObjectSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
}

export function openRpcDocument(version: string): Readonly<Record<string, unknown>> {
  return {
    openrpc: '1.3.2',
    info: { title: 'Callsheet', version, 'x-protocol': PROTOCOL_VERSION },
    methods: Object.values(METHODS).map((method) => {
      const { properties = {}, required = [] } = method.params.json as ObjectSchema;
      return {
        name: method.name,
        summary: method.description,
        paramStructure: 'by-name',
        params: Object.entries(properties).map(([name, schema]) => ({ name, required: required.includes(name), schema })),
        result: { name: 'result', schema: method.result.json },
        errors: method.errors.map((code) => describeError(code)),
        'x-scope': method.scope,
        'x-mutation': method.mutation,
      };
    }),
  };
}

// --- helpers ---

function describeError(code: ErrorCode): Readonly<Record<string, unknown>> {
  const { rpc, meaning, retryable } = ERRORS[code];
  return { code: rpc, message: meaning, data: { code, retryable } };
}
