/** What node classes took on the backends of a data directory, read without disturbing whoever writes there. */
import { join } from 'node:path';
import Database from 'better-sqlite3';

/** Class → seconds, over all backends. Empty where nothing was learned, or nothing can be read. */
export function readClassTimes(dir: string): ReadonlyMap<string, number> {
  try {
    const db = new Database(join(dir, 'callsheet.db'), { readonly: true, fileMustExist: true });
    try {
      const rows = db
        .prepare<[], { readonly part: string; readonly seconds: number }>(
          `SELECT part, sum(mean * count) / sum(count) AS seconds FROM timings
           WHERE template = '' AND step = '' AND part LIKE 'class.%' GROUP BY part`,
        )
        .all();
      return new Map(rows.map(({ part, seconds }) => [part.slice('class.'.length), seconds]));
    } finally {
      db.close();
    }
  } catch {
    // No database, one of an older release, or one that is being made: nothing was measured that we know of.
    return new Map();
  }
}
