/** Opens the store of a data directory: mends or migrates the file first, then answers the contract of types.ts over one connection. */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { CallsheetError } from '#protocol/errors.ts';
import { backupPath, writeBackup, writeBackupSync } from './backups.ts';
import { connect, setPatience } from './connection.ts';
import type { Synchronous } from './connection.ts';
import { isDamage, isDoubtful, messageOf, translateFailure } from './failure.ts';
import type { Mark } from './mark.ts';
import { migrate } from './migrations.ts';
import { beginEpoch, findDamage, recover } from './recovery.ts';
import { MIGRATIONS } from './schema.ts';
import type { Migration } from './schema.ts';
import { openSession } from './session.ts';
import type { Session } from './session.ts';
import type { Recovery, Store } from './types.ts';

export interface OpenOptions {
  /** The data directory; made when it is not there. */
  readonly dir: string;
  readonly file?: string;
  /** Milliseconds since 1970; names backups and damaged files. */
  readonly now?: () => number;
  /** FULL survives a power cut, NORMAL only the death of the process. */
  readonly synchronous?: Synchronous;
  /** Another list of schema steps, to rehearse a migration. */
  readonly migrations?: readonly Migration[];
  /** How far the log of this data directory had come: a database that is gone, or older than that, is damage. */
  readonly mark?: Mark;
}

/**
 * One per data directory: hold the lock of lock.ts first.
 * Throws STORAGE_NEWER (file untouched), STORAGE_BUSY (another program holds it) and STORAGE_FAILED (cannot be opened). A damaged file is no error: see `recovery`.
 */
export function openStore(options: OpenOptions): Store {
  const { dir, now = Date.now, synchronous = 'FULL', migrations = MIGRATIONS } = options;
  const path = join(dir, options.file ?? 'callsheet.db');
  const translated = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw translateFailure(error, dir);
    }
  };

  const open = (): Session => openChecked(path, synchronous, migrations, now);
  const { session, recovery } = translated(() => {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const damage = findDamage(path, migrations.length);
    const mended = damage === null ? undefined : recover(path, damage, now());
    const isMade = !existsSync(path);
    try {
      const opened = open();
      if (mended !== undefined || options.mark === undefined || !isBehind(opened, options.mark))
        return { session: opened, recovery: mended };
      return setBack(opened, options.mark, isMade, open);
    } catch (error) {
      if (!isDamage(error) || mended !== undefined) throw error;
      const again = recover(path, messageOf(error), now());
      return { session: open(), recovery: again };
    }
  });
  return buildStore({
    session,
    dir,
    translated,
    ...(recovery === undefined ? {} : { recovery }),
    reopen: () => connect(path, synchronous, 'serving'),
  });
}

interface Parts {
  readonly session: Session;
  readonly dir: string;
  readonly recovery?: Recovery;
  readonly reopen: () => Database;
  readonly translated: <T>(work: () => T) => T;
}

function buildStore({ session: first, dir, recovery, reopen, translated }: Parts): Store {
  let session: Session | null = first;
  let closed = false;
  const { epoch } = first;

  /**
   * After a failed read or write of the file nobody knows what stands in it: the connection is given up and the next call opens a new one,
   * which reads what is there just as a restart would.
   */
  function live(): Session {
    if (closed) throw new CallsheetError('STORAGE_FAILED', `The store in ${dir} is closed.`, { retryable: false });
    session ??= openSession(reopen());
    return session;
  }

  function use<T>(work: (session: Session) => T): T {
    return translated(() => {
      try {
        return work(live());
      } catch (error) {
        if (isDoubtful(error)) abandon();
        else session?.writer.forget();
        throw error;
      }
    });
  }

  function abandon(): void {
    const old = session;
    session = null;
    try {
      old?.db.close();
    } catch {
      // The file may be unreachable; the new connection tells.
    }
  }

  return {
    epoch,
    ...(recovery === undefined ? {} : { recovery }),
    commit: (batch) => use((current) => current.commit(batch)),
    putRequestKey: (row) => use((current) => current.putRequestKey(row)),
    lastPosition: () => use(({ writer }) => writer.lastPosition()),
    run: (runId) => use(({ reader }) => reader.run(runId)),
    runs: (query) => use(({ reader }) => reader.runs(query)),
    openRuns: () => use(({ reader }) => reader.openRuns()),
    openRunHeads: () => use(({ reader }) => reader.openRunHeads()),
    runCounts: () => use(({ reader }) => reader.runCounts()),
    assumedLost: () => use(({ reader }) => reader.assumedLost()),
    setting: (name) => use(({ reader }) => reader.setting(name)),
    putSetting: (name, value) => use(({ statements }) => void statements.putSetting.run(`setting ${name}`, value)),
    template: (hash) => use(({ reader }) => reader.template(hash)),
    attempts: (runId) => use(({ reader }) => reader.attempts(runId)),
    provenance: (runId) => use(({ reader }) => reader.provenance(runId)),
    graph: (hash) => use(({ reader }) => reader.graph(hash)),
    artifacts: (runId) => use(({ reader }) => reader.artifacts(runId)),
    artifact: (artifactId) => use(({ reader }) => reader.artifact(artifactId)),
    listArtifacts: (query) => use(({ reader }) => reader.listArtifacts(query)),
    events: (query) => use(({ reader }) => reader.events(query)),
    requestKey: (key) => use(({ reader }) => reader.requestKey(key)),
    requestKeysOf: (runId) => use(({ reader }) => reader.requestKeysOf(runId)),
    outbox: (limit, kind) => use((current) => current.outbox(limit, kind)),
    timings: (template, step) => use(({ reader }) => reader.timings(template, step)),
    savings: (runId) => use(({ reader }) => reader.savings(runId)),
    asset: (assetId) => use(({ reader }) => reader.asset(assetId)),
    outboxDone: (id) => use(({ writer }) => writer.outboxDone(id)),
    outboxTried: (id) => use(({ statements }) => void statements.triedOutbox.run(id)),
    pin: (runId, pinned) => use(({ writer }) => writer.pin(runId, pinned)),
    runSizes: () => use(({ reader }) => reader.runSizes()),
    removeRuns: (runs, keep) => use((current) => current.removeRuns(runs, keep)),
    runsOfTemplate: (hash) => use(({ reader }) => reader.runsOfTemplate(hash)),
    pendingRemovals: () => use(({ reader }) => reader.pendingRemovals()),
    removalDone: (runId) => use(({ statements }) => statements.removals.done(runId)),
    putAsset: (row) => use(({ statements }) => void statements.putAsset.run(row)),
    demandWritable: () => use((current) => current.demandWritable()),
    async backup(file) {
      try {
        await writeBackup(file, (temporary) => live().db.backup(temporary));
      } catch (error) {
        throw translateFailure(error, dir);
      }
    },
    checkpoint() {
      use((current) => {
        current.settle();
        current.db.pragma('wal_checkpoint(PASSIVE)');
      });
    },
    close() {
      if (closed) return;
      try {
        if (session !== null) use((current) => current.settle());
      } catch (error) {
        // Held by another program: what is done is handed out once more, which does no harm.
        if (!(error instanceof CallsheetError) || error.code !== 'STORAGE_BUSY') throw error;
      } finally {
        closed = true;
        abandon();
      }
    },
  };
}

/** Something else than what was here took its place: a copy from before, or nothing. Clients must not take its log for the one that they know. */
function setBack(
  found: Session,
  mark: Mark,
  isMade: boolean,
  open: () => Session,
): { readonly session: Session; readonly recovery: Recovery } {
  if (isMade) return { session: found, recovery: { reason: 'the database file is gone' } };
  const position = found.writer.lastPosition();
  const [newest] = found.reader.events({ after: position - 1, limit: 1 });
  beginEpoch(found.db);
  found.db.close();
  const where = newest === undefined ? {} : { lostSince: newest.at };
  return {
    session: open(),
    recovery: { reason: `the database is not the one that was here: its log has ${position} lines, and had ${mark.position}`, ...where },
  };
}

function isBehind({ epoch, writer }: Session, mark: Mark): boolean {
  return epoch !== mark.epoch || writer.lastPosition() < mark.position;
}

function openChecked(path: string, synchronous: Synchronous, migrations: readonly Migration[], now: () => number): Session {
  const db = connect(path, synchronous, 'starting');
  try {
    migrate(db, {
      migrations,
      beforeChange: () => {
        writeBackupSync(backupPath(dirname(path), now()), (temporary) => {
          db.prepare('VACUUM INTO ?').run(temporary);
        });
      },
    });
    const session = openSession(db);
    setPatience(db, 'serving');
    return session;
  } catch (error) {
    db.close();
    throw error;
  }
}
