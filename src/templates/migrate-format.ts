/** Brings the text of a manifest to the format of today by the steps that are registered here, in memory; findings point into the author's text. */
import { parseJson, positionOf } from '#graph/json.ts';
import { type PlaceBack, placesBack, rewrite } from '#graph/rewrite.ts';
import type { JsonObject } from '#graph/types.ts';
import type { Problem } from '#protocol/problem.ts';
import { type Located, member, problemAt } from './locate.ts';
import { draftToOne, looksLikeDraft } from './format-draft.ts';
import type { FormatStep } from './format-step.ts';

export const CURRENT_FORMAT = 1;

/** One for each format that was ever written but the last; each leads one format on. */
const STEPS: readonly FormatStep[] = [draftToOne];

export interface MigratedManifest {
  /** Of today's format; the author's own text when it is. */
  readonly text: string;
  /** The format it was written in. */
  readonly from: number;
  /** What was changed, with its line and column in the author's text. */
  readonly changes: readonly { readonly what: string; readonly line: number; readonly column: number }[];
  readonly placeBack: PlaceBack;
}

/** Undefined when the text is of today's format, of none that is known, or no JSON object: then it is read as it stands. */
export function migrateManifest(text: string): MigratedManifest | undefined {
  const { root } = parseJson(text);
  return root?.kind === 'object' ? migrateRoot(root, text) : undefined;
}

/** The same for a text that is parsed already. */
export function migrateRoot(root: JsonObject, text: string): MigratedManifest | undefined {
  const from = formatOf(root);
  if (from === undefined || from >= CURRENT_FORMAT) return undefined;
  let [now, at]: [string, JsonObject] = [text, root];
  let originOf = (offset: number): number => offset;
  const changes: MigratedManifest['changes'][number][] = [];
  for (const step of STEPS.filter((each) => each.from >= from)) {
    const made = step.migrate(at, now);
    const before = originOf;
    for (const { at: node, what } of made.changes) changes.push({ what, ...positionOf(text, before(node.start)) });
    const rewritten = rewrite(now, made.splices);
    const parsed = parseJson(rewritten.text).root;
    if (parsed?.kind !== 'object') return undefined;
    originOf = (offset) => before(rewritten.originOf(offset));
    [now, at] = [rewritten.text, parsed];
  }
  return { text: now, from, changes, placeBack: placesBack(text, now, originOf) };
}

/** The manifest's text in today's format. */
export function currentManifest(text: string): string {
  return migrateManifest(text)?.text ?? text;
}

/** Undefined for a `format` that is no format at all, and where there is none and nothing tells. */
function formatOf(root: JsonObject): number | undefined {
  const format = member(root, 'format');
  if (format === undefined) return looksLikeDraft(root) ? 0 : undefined;
  const value = format.kind === 'number' ? Number(format.raw) : Number.NaN;
  return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** The one problem of a manifest that a newer Callsheet wrote: the rest of it cannot be judged. */
export function newerFormat(where: Located): Problem | undefined {
  const format = where.root.kind === 'object' ? formatOf(where.root) : undefined;
  if (format === undefined || format <= CURRENT_FORMAT) return undefined;
  const needs = member(member(where.root, 'requires'), 'callsheet');
  const version = needs?.kind === 'string' ? ` It asks for Callsheet ${needs.value.slice(0, 100)}.` : '';
  const message = `The manifest is of format ${format}, and this Callsheet knows formats up to ${CURRENT_FORMAT}.${version}`;
  const hint =
    needs?.kind === 'string'
      ? `Update Callsheet to ${needs.value.slice(0, 100)}.`
      : `Update Callsheet to a version that knows format ${format}.`;
  return problemAt(where, ['format'], 'TEMPLATE_FORMAT_UNSUPPORTED', message, { hint });
}

/** Told once for each manifest that was read in an older format. */
export function tellMigrated({ file, text, root }: Located, { from, changes }: MigratedManifest): Problem {
  const shown = changes.slice(0, 6).map(({ what }) => what);
  const more = changes.length > shown.length ? `, and ${changes.length - shown.length} more` : '';
  const message = `The manifest is of format ${from} and was read as format ${CURRENT_FORMAT}: ${shown.join(', ')}${more}.`;
  const hint = 'The file is as it was. `callsheet templates migrate --write PATH` writes the changes into it.';
  const at = member(root, 'format') === undefined ? [] : ['format'];
  return problemAt({ file, text, root }, at, 'TEMPLATE_FORMAT_MIGRATED', message, { severity: 'info', hint });
}
