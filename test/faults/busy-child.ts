/** Another program that has the database open and writes in it for a while: says when it holds the lock, and lets go after so many milliseconds. */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import Database from 'better-sqlite3';

const db = new Database(join(process.env['CALLSHEET_TEST_DATA'] ?? '', 'callsheet.db'), { timeout: 10_000 });
db.exec('BEGIN IMMEDIATE');
process.stdout.write('{"holds":true}\n');
await pause(Number(process.env['CALLSHEET_TEST_HOLD_MS']));
db.exec('COMMIT');
db.close();
