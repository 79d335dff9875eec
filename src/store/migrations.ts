/** Brings a database file to the newest schema, one transaction per step together with its version number. */
import type { Database } from 'better-sqlite3';
import { CallsheetError } from '#protocol/errors.ts';
import { APPLICATION_ID, MIGRATIONS } from './schema.ts';
import type { Migration } from './schema.ts';

export interface MigrateOptions {
  readonly migrations?: readonly Migration[];
  /** Called once before an existing file is changed, with its version. */
  readonly beforeChange?: (version: number) => void;
}

export function schemaVersion(db: Database): number {
  return Number(db.pragma('user_version', { simple: true }));
}

/**
 * Safe to run on a file whose creation was cut short at any point: a step either stands whole with its version or not at all.
 * Throws STORAGE_NEWER before anything is written when the file is from a newer Callsheet.
 */
export function migrate(db: Database, options: MigrateOptions = {}): void {
  const migrations = options.migrations ?? MIGRATIONS;
  const version = schemaVersion(db);
  if (version > migrations.length) throw newerSchema(version, migrations.length);
  if (version === migrations.length) return;
  if (version > 0) options.beforeChange?.(version);
  for (const [index, migration] of migrations.entries()) {
    if (index < version) continue;
    const step = db.transaction(() => {
      migration.up(db);
      db.pragma(`application_id = ${APPLICATION_ID}`);
      db.pragma(`user_version = ${index + 1}`);
    });
    step.immediate();
  }
}

export function newerSchema(found: number, known: number): CallsheetError {
  return new CallsheetError(
    'STORAGE_NEWER',
    `The data directory was written by a newer Callsheet (schema ${found}, this one knows ${known}).`,
    {
      hint: 'Update Callsheet, or start it with another data directory. Nothing was changed.',
    },
  );
}
