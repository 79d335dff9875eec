/** Takes runs out of the database whole, with everything that refers to them, and remembers their files until these are gone too. */
import type { Database } from 'better-sqlite3';
import type { RemovalRow } from './types.ts';

export interface Removals {
  /** Must run inside a transaction. Runs that are not there are passed over. `keep`: hashes of templates that are needed although no run has them. */
  remove(runs: readonly RemovalRow[], keep: ReadonlySet<string>): void;
  /** Runs whose rows are gone and whose files may not be. */
  pending(): readonly RemovalRow[];
  done(runId: string): void;
}

export function createRemovals(db: Database): Removals {
  const idOf = db.prepare<[string], number>('SELECT id FROM runs WHERE run_id = ?').pluck();
  const insert = db.prepare<[string, string]>(
    'INSERT INTO removals (run_id, body) VALUES (?, ?) ON CONFLICT (run_id) DO UPDATE SET body = excluded.body',
  );
  const waiting = db.prepare<[], RemovalRow>('SELECT run_id AS runId, body FROM removals ORDER BY run_id');
  const forget = db.prepare<[string]>('DELETE FROM removals WHERE run_id = ?');
  const lastPosition = db.prepare<[], number>('SELECT ifnull(max(position), 0) FROM events').pluck();
  const keepPosition = db.prepare<[string]>(
    `INSERT INTO meta (key, value) VALUES ('position', ?)
     ON CONFLICT (key) DO UPDATE SET value = max(CAST(value AS INTEGER), CAST(excluded.value AS INTEGER))`,
  );
  const dropTemplates = db.prepare<[string]>(
    'DELETE FROM templates WHERE id NOT IN (SELECT template_id FROM runs) AND hash NOT IN (SELECT value FROM json_each(?))',
  );
  const dropGraphs = db.prepare(
    `DELETE FROM graphs WHERE id NOT IN (SELECT graph FROM provenance)
     AND id NOT IN (SELECT workflow FROM provenance WHERE workflow IS NOT NULL)`,
  );
  // Whatever refers to runs, also what later releases add.
  const children = db
    .prepare<[], { table: string; column: string }>(
      `SELECT m.name AS "table", k."from" AS "column" FROM sqlite_schema m JOIN pragma_foreign_key_list(m.name) k
       WHERE m.type = 'table' AND k."table" = 'runs'`,
    )
    .all();
  const dropOf = children.map(({ table, column }) =>
    db.prepare<[string]>(`DELETE FROM "${table}" WHERE "${column}" IN (SELECT value FROM json_each(?))`),
  );
  const dropRuns = db.prepare<[string]>('DELETE FROM runs WHERE id IN (SELECT value FROM json_each(?))');

  return {
    remove(runs, keep) {
      const ids = runs.flatMap(({ runId }) => idOf.get(runId) ?? []);
      if (ids.length === 0) return;
      // Numbers of events are never given twice, also when the last ones go.
      keepPosition.run(String(lastPosition.get() ?? 0));
      for (const { runId, body } of runs) insert.run(runId, body);
      const list = JSON.stringify(ids);
      for (const drop of dropOf) drop.run(list);
      dropRuns.run(list);
      dropTemplates.run(JSON.stringify([...keep]));
      dropGraphs.run();
    },
    pending: () => waiting.all(),
    done: (runId) => void forget.run(runId),
  };
}
