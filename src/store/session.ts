/** One connection with its prepared statements, reader and writer: what is thrown away as a whole after a failed write. */
import type { Database } from 'better-sqlite3';
import { CallsheetError } from '#protocol/errors.ts';
import type { RunEvent } from '#protocol/events.ts';
import { messageOf } from './failure.ts';
import { createReader } from './reader.ts';
import type { Reader } from './reader.ts';
import { prepareStatements } from './statements.ts';
import type { Statements } from './statements.ts';
import type { Batch, OutboxItem, RemovalRow, RequestKeyRow } from './types.ts';
import { createWriter } from './writer.ts';
import type { Writer } from './writer.ts';

export interface Session {
  readonly db: Database;
  readonly epoch: string;
  readonly statements: Statements;
  readonly reader: Reader;
  readonly writer: Writer;
  commit(batch: Batch): readonly RunEvent[];
  putRequestKey(row: RequestKeyRow): void;
  removeRuns(runs: readonly RemovalRow[], keep: ReadonlySet<string>): void;
  outbox(limit: number, kind?: string): readonly OutboxItem[];
  /** Takes the lock that a write takes, and lets go of it. */
  demandWritable(): void;
  /** Deletes done items now instead of with the next commit. */
  settle(): void;
}

/** Throws STORAGE_CORRUPT when the tables are not what they are at this version. */
export function openSession(db: Database): Session {
  const statements = prepared(db);
  const epoch = statements.epoch.get();
  if (epoch === undefined) throw new CallsheetError('STORAGE_CORRUPT', 'The database has lost the name of its event log.');
  const reader = createReader(statements, epoch);
  const writer = createWriter(statements, epoch);
  const commit = db.transaction((batch: Batch) => writer.write(batch));
  const settle = db.transaction(() => writer.settle());
  const nothing = db.transaction(() => undefined);
  const removeRuns = db.transaction((runs: readonly RemovalRow[], keep: ReadonlySet<string>) => writer.removeRuns(runs, keep));
  const putRequestKey = db.transaction((row: RequestKeyRow) => writer.putRequestKey(row));
  return {
    db,
    epoch,
    statements,
    reader,
    writer,
    commit(batch) {
      const events = commit.immediate(batch);
      writer.committed();
      return events;
    },
    putRequestKey: (row) => putRequestKey.immediate(row),
    removeRuns: (runs, keep) => removeRuns.immediate(runs, keep),
    demandWritable: () => nothing.immediate(),
    outbox(limit, kind) {
      const most = Math.max(0, limit);
      // Items that are done are still stored until the next commit.
      const stored = reader.outbox(most + writer.unsettled(), kind);
      return stored.filter(({ id }) => !writer.isDone(id)).slice(0, most);
    },
    settle() {
      if (writer.unsettled() === 0) return;
      settle.immediate();
      writer.committed();
    },
  };
}

function prepared(db: Database): Statements {
  try {
    return prepareStatements(db);
  } catch (error) {
    throw new CallsheetError('STORAGE_CORRUPT', `The tables of the database are damaged: ${messageOf(error)}.`, { cause: error });
  }
}
