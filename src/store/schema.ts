/** The tables, as a list of migrations: entry n takes a file from `user_version` n to n + 1. Entries are never edited once released. */
import type { Database } from 'better-sqlite3';
import { v7 as uuidv7 } from 'uuid';

/** "CSht": marks the file as ours (https://www.sqlite.org/fileformat.html#application_id). */
export const APPLICATION_ID = 0x43_53_68_74;

/**
 * Small pages: a commit writes every page it touched whole, and our hot rows are a few hundred bytes.
 * Measured for a three-step run in seven commits: 113 kB reach the disk with 1 KiB pages; larger pages write more, most rows being small (docs/store.md 3).
 */
export const PAGE_SIZE = 1024;

export interface Migration {
  /** What changes, for the log and for docs/store.md. */
  readonly title: string;
  readonly up: (db: Database) => void;
}

/**
 * Runs are split: `runs` is inserted once and never touched again, `run_states` is the narrow row every flush rewrites.
 * Integer keys throughout; the only text keys are those that clients bring.
 */
const FIRST = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE templates (id INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, content TEXT NOT NULL) STRICT;
CREATE TABLE runs (
  id INTEGER PRIMARY KEY,
  run_id TEXT NOT NULL UNIQUE,
  template TEXT NOT NULL,
  version TEXT NOT NULL,
  template_id INTEGER NOT NULL REFERENCES templates (id),
  backend TEXT,
  parameters TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE TABLE run_states (
  id INTEGER PRIMARY KEY REFERENCES runs (id),
  open INTEGER NOT NULL,
  status TEXT NOT NULL,
  draft INTEGER NOT NULL,
  progress REAL NOT NULL,
  machine TEXT NOT NULL,
  machine_version INTEGER NOT NULL,
  ended_at INTEGER,
  error TEXT,
  timers TEXT,
  snapshot TEXT
) STRICT;
CREATE INDEX run_states_open ON run_states (id) WHERE open = 1;
CREATE TABLE events (
  position INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES runs (id),
  seq INTEGER NOT NULL,
  at INTEGER NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX events_of_run ON events (run, seq);
CREATE TABLE attempts (
  run INTEGER NOT NULL REFERENCES runs (id),
  prompt_id TEXT NOT NULL,
  step TEXT NOT NULL,
  item INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  backend TEXT NOT NULL,
  address TEXT NOT NULL,
  payload_hash TEXT NOT NULL,
  status TEXT NOT NULL,
  acknowledged INTEGER NOT NULL,
  number INTEGER,
  created_at INTEGER NOT NULL,
  ended_at INTEGER,
  error TEXT,
  PRIMARY KEY (run, prompt_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE artifacts (
  id INTEGER PRIMARY KEY,
  artifact_id TEXT NOT NULL UNIQUE,
  run INTEGER NOT NULL REFERENCES runs (id),
  step TEXT NOT NULL,
  item INTEGER NOT NULL,
  node TEXT NOT NULL,
  number INTEGER NOT NULL,
  output TEXT NOT NULL,
  path TEXT NOT NULL,
  media_type TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  width INTEGER,
  height INTEGER,
  duration REAL,
  draft INTEGER NOT NULL,
  outputs TEXT,
  asset TEXT,
  UNIQUE (run, step, item, node, number)
) STRICT;
CREATE TABLE outbox (
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES runs (id),
  kind TEXT NOT NULL,
  body TEXT NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE request_keys (
  key TEXT PRIMARY KEY,
  method TEXT NOT NULL,
  params_hash TEXT NOT NULL,
  run INTEGER REFERENCES runs (id),
  answer TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE assets (
  asset_id TEXT PRIMARY KEY,
  path TEXT NOT NULL,
  name TEXT NOT NULL,
  media_type TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`;

/** How long parts of steps took: what progress weighs and stalls are measured by. Small: one row for each part of a step on a backend. */
const TIMINGS = `
CREATE TABLE timings (
  template TEXT NOT NULL,
  step TEXT NOT NULL,
  backend TEXT NOT NULL,
  part TEXT NOT NULL,
  count INTEGER NOT NULL,
  mean REAL NOT NULL,
  variance REAL NOT NULL,
  longest REAL NOT NULL,
  PRIMARY KEY (template, step, backend, part)
) STRICT, WITHOUT ROWID;
`;

/** What was saved: one row for everything that one pass did to one item, or with item -1 to a step as a whole. */
const SAVINGS = `
CREATE TABLE savings (
  run INTEGER NOT NULL REFERENCES runs (id),
  step TEXT NOT NULL,
  item INTEGER NOT NULL,
  pass TEXT NOT NULL,
  savings TEXT NOT NULL,
  PRIMARY KEY (run, step, item, pass)
) STRICT, WITHOUT ROWID;
`;

/**
 * What made files: a row for each attempt, written before it is sent, and the graphs themselves once each by content, packed. Neither is
 * read or written while a run goes on. `graph` and `workflow` are ids of `graphs`; no foreign keys, so that cleaning up searches them once.
 */
const PROVENANCE = `
CREATE TABLE graphs (id INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, content BLOB NOT NULL) STRICT;
CREATE TABLE provenance (
  run INTEGER NOT NULL REFERENCES runs (id),
  prompt_id TEXT NOT NULL,
  graph INTEGER NOT NULL,
  workflow INTEGER,
  facts TEXT NOT NULL,
  times TEXT,
  PRIMARY KEY (run, prompt_id)
) STRICT, WITHOUT ROWID;
`;

/** Kinds of the files of older rows, by the beginning of the media type: as well as it was known then. */
const OLD_KINDS: readonly (readonly [string, string])[] = [
  ['image/', 'image'],
  ['video/', 'video'],
  ['audio/', 'audio'],
  ['model/', 'model3d'],
  ['application/x-fbx', 'model3d'],
  ['text/', 'text'],
  ['application/json', 'text'],
];

export const MIGRATIONS: readonly Migration[] = [
  {
    title: 'the tables of 0.1.0',
    up(db) {
      db.exec(FIRST);
      db.prepare('INSERT INTO meta (key, value) VALUES (?, ?)').run('epoch', uuidv7());
    },
  },
  {
    title: 'attempts and artifacts know their profile',
    up(db) {
      for (const table of ['attempts', 'artifacts']) db.exec(`ALTER TABLE ${table} ADD COLUMN profile TEXT`);
    },
  },
  {
    title: 'timings, learned from runs',
    up: (db) => void db.exec(TIMINGS),
  },
  {
    title: 'runs know their priority and client; attempts that were given up without proof are found at once',
    up(db) {
      db.exec(`
        ALTER TABLE runs ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE runs ADD COLUMN client TEXT;
        CREATE INDEX attempts_assumed_lost ON attempts (run, prompt_id) WHERE status = 'assumed-lost';
      `);
    },
  },
  {
    title: 'what was asked of a run under a key is found by the run',
    up: (db) => void db.exec('CREATE INDEX request_keys_of_run ON request_keys (run) WHERE run IS NOT NULL'),
  },
  {
    title: 'runs know whether they may be optimised and cached, and what that saved',
    up(db) {
      db.exec(`ALTER TABLE runs ADD COLUMN options TEXT; ${SAVINGS}`);
    },
  },
  {
    title:
      'artifacts know which run made them, where it was another; runs know which models they begin with, and attempts which steps share them',
    up: (db) =>
      void db.exec(
        'ALTER TABLE artifacts ADD COLUMN cached_from TEXT; ALTER TABLE runs ADD COLUMN models TEXT; ALTER TABLE attempts ADD COLUMN fused TEXT',
      ),
  },
  {
    title: 'artifacts know their kind, what their headers say, when they came, and whose bytes they share',
    up(db) {
      db.exec(`
        ALTER TABLE artifacts ADD COLUMN kind TEXT NOT NULL DEFAULT 'file';
        ALTER TABLE artifacts ADD COLUMN facts TEXT;
        ALTER TABLE artifacts ADD COLUMN created_at INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE artifacts ADD COLUMN same_as TEXT;
        UPDATE artifacts SET created_at = (SELECT created_at FROM runs WHERE id = run);
      `);
      const kinds = db.prepare<[], { media_type: string }>('SELECT DISTINCT media_type FROM artifacts').all();
      const set = db.prepare<[string, string]>('UPDATE artifacts SET kind = ? WHERE media_type = ?');
      for (const { media_type: mediaType } of kinds)
        set.run(OLD_KINDS.find(([start]) => mediaType.startsWith(start))?.[1] ?? 'file', mediaType);
    },
  },
  {
    title: 'what made each file: attempts, graphs by content, files as the backend gave them',
    up(db) {
      db.exec(PROVENANCE);
      for (const column of ['prompt_id', 'source', 'conversion', 'sequence']) db.exec(`ALTER TABLE artifacts ADD COLUMN ${column} TEXT`);
    },
  },
  {
    title: 'runs can be pinned, and cleaned away with their files',
    up(db) {
      db.exec(`
        CREATE TABLE pins (run INTEGER PRIMARY KEY REFERENCES runs (id)) STRICT;
        CREATE TABLE removals (run_id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
      `);
    },
  },
  {
    title: 'artifacts know that their item failed',
    up: (db) => void db.exec('ALTER TABLE artifacts ADD COLUMN partial INTEGER NOT NULL DEFAULT 0'),
  },
];
