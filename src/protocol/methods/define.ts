/** The shape of a row in the method table: everything that validation, scopes, docs and clients need to know of a method. */
import type { ErrorCode } from '../errors.ts';
import { described, optional, string } from '../schema.ts';
import type { Schema } from '../schema.ts';

/** What a key may do; each scope includes those before it. */
export const SCOPES = ['read', 'run', 'admin'] as const;
export type MethodScope = (typeof SCOPES)[number];

export interface Method<Params, Result> {
  readonly name: string;
  readonly scope: MethodScope;
  /** True when the call changes something; such calls take a `requestKey` and are never notifications. */
  readonly mutation: boolean;
  readonly description: string;
  readonly params: Schema<Params>;
  readonly result: Schema<Result>;
  /** Codes beyond those that every method can answer. */
  readonly errors: readonly ErrorCode[];
}

export function method<Params, Result>(definition: Method<Params, Result>): Method<Params, Result> {
  return definition;
}

export const requestKey = optional(
  described(
    string({ minLength: 1, maxLength: 200 }),
    'Chosen by the client, unique for each wish. The same key again gives the first answer.',
  ),
);

export const progressToken = optional(
  described(
    string({ minLength: 1, maxLength: 200 }),
    'Chosen by the client, unique on its connection: `$/progress` notifications carry it while the call is at work.',
  ),
);

/** UUIDv7 of a run, canonical lower case. */
export const runId = described(string({ minLength: 1, maxLength: 64 }), 'Id of a run.');
export const templateId = described(string({ minLength: 1, maxLength: 64 }), 'Id of a template.');
export const templateVersion = optional(described(string({ minLength: 1, maxLength: 64 }), 'Semantic version; the newest when absent.'));
