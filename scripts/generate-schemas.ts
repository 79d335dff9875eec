/** Writes the published JSON Schemas from their source in src/. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { manifestSchemaText } from '#templates/manifest-schema.ts';

const folder = join(import.meta.dirname, '..', 'schemas');
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'template-1.json'), manifestSchemaText());
