/** Pages of artifacts by what is known of them: one statement for each set of filters, prepared when it is first asked for. */
import type { Database, Statement } from 'better-sqlite3';
import { type RawArtifact, toArtifact } from './rows.ts';
import type { ArtifactPage, ArtifactQuery } from './types.ts';

const USUAL_ROWS = 100;
const MOST_ROWS = 1000;

type Values = Readonly<Record<string, string | number>>;
type RawPlaced = RawArtifact & { readonly row: number };

/** Filter → its condition; the value is bound under the same name. */
const CONDITIONS = {
  runId: 'a.run = (SELECT id FROM runs WHERE run_id = @runId)',
  template: 'r.template = @template',
  step: 'a.step = @step',
  output: '(a.output = @output OR EXISTS (SELECT 1 FROM json_each(a.outputs) WHERE value = @output))',
  kind: 'a.kind = @kind',
  mediaType: 'a.media_type = @mediaType',
  mediaFamily: 'substr(a.media_type, 1, length(@mediaFamily)) = @mediaFamily',
  asset: "json_extract(a.asset, '$.kind') = @asset",
  since: 'a.created_at >= @since',
  until: 'a.created_at < @until',
  draft: 'a.draft = @draft',
  start: 'a.id < @start',
} as const satisfies Readonly<Record<string, string>>;

type Filter = keyof typeof CONDITIONS;

export interface ArtifactLists {
  /** Undefined when `before` names an artifact that is not there. */
  page(query: ArtifactQuery): ArtifactPage | undefined;
}

/** `columns` and `tables` are those of every other read of artifacts. */
export function createArtifactLists(db: Database, columns: string, tables: string): ArtifactLists {
  const statements = new Map<string, Statement<[Values], RawPlaced>>();
  const rowOf = db.prepare<[string], number>('SELECT id FROM artifacts WHERE artifact_id = ?').pluck();

  const statementFor = (filters: readonly Filter[]) => {
    const key = filters.join(' ');
    const known = statements.get(key);
    if (known !== undefined) return known;
    const where = filters.length === 0 ? '' : `WHERE ${filters.map((filter) => CONDITIONS[filter]).join(' AND ')}`;
    const made = db.prepare<[Values], RawPlaced>(`SELECT a.id AS row, ${columns} FROM ${tables} ${where} ORDER BY a.id DESC LIMIT @limit`);
    statements.set(key, made);
    return made;
  };
  return {
    page({ limit = USUAL_ROWS, before, ...query }) {
      const start = before === undefined ? undefined : /^#\d{1,15}$/.test(before) ? Number(before.slice(1)) : rowOf.get(before);
      if (before !== undefined && start === undefined) return undefined;
      const values: Record<string, string | number> = valuesOf(query);
      if (start !== undefined) values['start'] = start;
      const filters = (Object.keys(CONDITIONS) as Filter[]).filter((filter) => Object.hasOwn(values, filter));
      const most = Math.min(MOST_ROWS, Math.max(0, limit));
      const rows = statementFor(filters).all({ ...values, limit: most + 1 });
      const last = rows[most - 1];
      return {
        artifacts: rows.slice(0, most).map(toArtifact),
        // The place in the file and not the artifact, which may be cleaned away between two pages.
        ...(rows.length > most && last !== undefined ? { next: `#${String(last.row)}` } : {}),
      };
    },
  };
}

// --- helpers ---

function valuesOf({ draft, mediaType, ...rest }: Omit<ArtifactQuery, 'limit' | 'before'>): Record<string, string | number> {
  const values: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(rest)) if (value !== undefined) values[name] = value;
  if (draft !== undefined) values['draft'] = Number(draft);
  if (mediaType?.endsWith('/*') === true) values['mediaFamily'] = mediaType.slice(0, -1);
  else if (mediaType !== undefined) values['mediaType'] = mediaType;
  return values;
}
