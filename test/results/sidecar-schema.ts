/** Holds notes beside results against the published schema. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';

export const SCHEMA_FILE = join(import.meta.dirname, '../../schemas/sidecar-2.json');

const validate = new Ajv({ allErrors: true }).compile(JSON.parse(readFileSync(SCHEMA_FILE, 'utf8')) as object);

/** What is wrong with a note; empty when it fits. */
export function faultsOf(note: unknown): readonly string[] {
  return validate(note) ? [] : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message ?? ''}`);
}
