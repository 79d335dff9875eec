/** The note beside each result, format 2, as JSON Schema: what programs that read our folders can count on (schemas/sidecar-2.json). */
import type { MediaFacts, SequenceView } from '../views.ts';
import { ARTIFACT_KINDS } from '../views.ts';
import type { Provenance } from '../provenance.ts';
import { described, integer, number, object, oneOf, optional, string } from '../schema.ts';
import type { Schema } from '../schema.ts';
import { provenance } from './provenance.ts';
import { facts, sequence } from './views.ts';

export interface Sidecar {
  readonly format: number;
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly mediaType: string;
  readonly kind?: string;
  readonly width?: number;
  readonly height?: number;
  readonly duration?: number;
  readonly facts?: MediaFacts;
  readonly sequence?: SequenceView;
  readonly provenance: Provenance;
}

/** Raised with every change that a reader of the one before would misread. */
export const SIDECAR_FORMAT = 2;

const sidecar: Schema<Sidecar, false> = object({
  format: described(integer({ minimum: SIDECAR_FORMAT, maximum: SIDECAR_FORMAT }), 'Version of this format.'),
  file: described(string(), 'Name of the result, in the folder above; of a sequence the first picture.'),
  bytes: integer({ minimum: 0 }),
  sha256: described(string({ pattern: '^[0-9a-f]{64}$' }), 'Of the file as it lies there.'),
  mediaType: string(),
  kind: optional(oneOf(ARTIFACT_KINDS)),
  width: optional(integer({ minimum: 1 })),
  height: optional(integer({ minimum: 1 })),
  duration: optional(described(number({ minimum: 0 }), 'Seconds.')),
  facts: optional(facts),
  sequence: optional(described(sequence, 'All pictures of the folder together; bytes and sha256 above are those of the first.')),
  provenance,
});

/** The text that `npm run generate` writes to schemas/sidecar-2.json. Members that it does not name may be there. */
export function sidecarSchemaText(): string {
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: `Note beside a result of Callsheet, format ${String(SIDECAR_FORMAT)}`,
    ...sidecar.json,
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}
