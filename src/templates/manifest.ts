/** Reads template.json: exact JSON, the schema's rules, and the rules a schema cannot say (id, version). */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import semver from 'semver';
import { parseJson } from '#graph/json.ts';
import type { PlaceBack } from '#graph/rewrite.ts';
import type { JsonValue } from '#graph/types.ts';
import { toValue } from '#graph/values.ts';
import type { Problem } from '#protocol/problem.ts';
import { migrateRoot, newerFormat, tellMigrated } from './migrate-format.ts';
import { type Located, member, type Path, problemAt } from './locate.ts';
import { MANIFEST_SCHEMA } from './manifest-schema.ts';
import { didYouMean } from '#graph/suggest.ts';
import type { Manifest } from './types.ts';

export interface ReadManifest {
  /** Undefined when the text is not JSON, its root is not an object, or its format is newer. In today's format, whatever it was written in. */
  readonly where: Located | undefined;
  /** Where the format is an older one: a finding in `where` points into the author's text again, where `notes` point already. */
  readonly placeBack?: PlaceBack;
  readonly notes?: readonly Problem[];
  /** Set only when there are no errors. */
  readonly manifest: Manifest | undefined;
  readonly problems: readonly Problem[];
}

let validate: ValidateFunction | undefined;

function validator(): ValidateFunction {
  // Our own schema: that it is one is tested, and nothing is won by generating less code for a manifest now and then.
  const quick = { meta: false, validateSchema: false, code: { optimize: false } };
  validate ??= new Ajv({ allErrors: true, strict: true, allowUnionTypes: true, verbose: true, ...quick }).compile(MANIFEST_SCHEMA);
  return validate;
}

export function readManifest(text: string, file: string): ReadManifest {
  const { root, problems: syntax } = parseJson(text, { file });
  if (root === undefined || syntax.some((problem) => problem.severity === 'error')) {
    return { where: undefined, manifest: undefined, problems: syntax };
  }
  const written: Located = { file, text, root };
  if (root.kind !== 'object') {
    const message = 'A template is a JSON object, and this file holds something else.';
    const problem = problemAt(written, [], 'TEMPLATE_FIELD_INVALID', message, {
      hint: 'Begin with { "format": 1, "id": …, "version": …, "steps": [ … ] }.',
    });
    return { where: undefined, manifest: undefined, problems: [...syntax, problem] };
  }
  const newer = newerFormat(written);
  if (newer !== undefined) return { where: undefined, manifest: undefined, problems: [...syntax, newer] };
  const migrated = migrateRoot(root, text);
  if (migrated === undefined) return readCurrent(written, syntax);
  const { root: now = root } = parseJson(migrated.text);
  const read = readCurrent({ file, text: migrated.text, root: now }, []);
  return { ...read, placeBack: migrated.placeBack, notes: [...syntax, tellMigrated(written, migrated)] };
}

function readCurrent(where: Located, syntax: readonly Problem[]): ReadManifest {
  const value = toValue(where.root);
  const problems = [...syntax, ...formatProblems(where), ...versionProblems(where)];
  const check = validator();
  if (!check(withoutBigints(value))) problems.push(...translate(where, check.errors ?? []));
  const broken = problems.some((problem) => problem.severity === 'error');
  return { where, manifest: !broken && isManifest(value) ? value : undefined, problems };
}

/** Called once the schema has proven the shape. */
function isManifest(value: unknown): value is Manifest {
  return typeof value === 'object' && value !== null && 'id' in value && 'steps' in value;
}

function formatProblems(where: Located): Problem[] {
  const format = member(where.root, 'format');
  if (format === undefined || (format.kind === 'number' && Number(format.raw) === 1)) return [];
  const message = 'This format of template is not known: "format" must be 1.';
  const hint = 'Set "format": 1.';
  return [problemAt(where, ['format'], 'TEMPLATE_FORMAT_UNSUPPORTED', message, { hint })];
}

function versionProblems(where: Located): Problem[] {
  const version = member(where.root, 'version');
  if (version?.kind !== 'string' || semver.valid(version.value) === version.value) return [];
  const message = `"${version.value.slice(0, 100)}" is not a semantic version.`;
  const loose = semver.coerce(version.value)?.version;
  const hint = loose === undefined ? 'Write three numbers, e.g. "1.0.0".' : `Write "${loose}".`;
  return [problemAt(where, ['version'], 'TEMPLATE_VERSION_INVALID', message, { hint })];
}

/** The schema engine knows no bigint; only its type and rough size matter to the manifest's own schema. */
function withoutBigints(value: JsonValue): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map((item: JsonValue) => withoutBigints(item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withoutBigints(item)]));
}

function translate(where: Located, errors: readonly ErrorObject[]): Problem[] {
  const problems: Problem[] = [];
  // A value that fits none of several shapes reports each shape too; the sum of them is enough.
  const unions = errors.filter((error) => error.keyword === 'anyOf').map((error) => error.instancePath);
  for (const error of errors) {
    const inside = unions.some((path) => error.instancePath === path || error.instancePath.startsWith(`${path}/`));
    if (error.keyword === 'propertyNames' || error.keyword === 'const' || (inside && error.keyword !== 'anyOf')) continue;
    problems.push(translateOne(where, error));
  }
  return problems;
}

function translateOne(where: Located, error: ErrorObject): Problem {
  const path: Path = error.instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  const parameter = path[0] === 'parameters' && path[1] !== undefined ? { parameter: String(path[1]) } : {};
  const place = path.length === 0 ? 'the template' : path.join('.');
  const params: Record<string, unknown> = error.params;
  if (error.keyword === 'required') {
    const message = `"${String(params.missingProperty)}" is missing in ${place}.`;
    return problemAt(where, path, 'TEMPLATE_FIELD_MISSING', message, { ...parameter, hint: `Add "${String(params.missingProperty)}".` });
  }
  if (error.keyword === 'additionalProperties') {
    const name = String(params.additionalProperty);
    const known = Object.keys(propertiesOf(error.parentSchema));
    const message = `"${name}" is not a field of ${place}.`;
    const hint = didYouMean(name, known, 'fields');
    return problemAt(where, [...path, name], 'TEMPLATE_FIELD_UNKNOWN', message, { ...parameter, hint, key: true });
  }
  if (error.propertyName !== undefined) {
    const message = `"${error.propertyName}" cannot be a name in ${place}.`;
    const hint = 'Use letters, digits and underscores, beginning with a letter, at most 64 characters.';
    return problemAt(where, [...path, error.propertyName], 'TEMPLATE_NAME_INVALID', message, { ...parameter, hint, key: true });
  }
  if (error.keyword === 'enum') return enumProblem(where, path, error, parameter);
  if (error.keyword === 'pattern' && path.length === 1 && path[0] === 'id') {
    const message = `"${String(error.data).slice(0, 100)}" cannot be the id of a template.`;
    const hint = 'Use 1 to 64 lower case letters, digits and hyphens, beginning with a letter or digit.';
    return problemAt(where, path, 'TEMPLATE_ID_INVALID', message, { hint });
  }
  const rule =
    error.keyword === 'anyOf' ? 'must be a text, a number or { "value": …, "title": … }' : (error.message ?? 'is not allowed here');
  return problemAt(where, path, 'TEMPLATE_FIELD_INVALID', `${place} ${rule}.`, { ...parameter, hint: hintOf(error) });
}

function enumProblem(where: Located, path: Path, error: ErrorObject, parameter: { parameter?: string }): Problem {
  const allowed = Array.isArray(error.params.allowedValues) ? error.params.allowedValues.map(String) : [];
  const given = typeof error.data === 'string' ? `"${error.data.slice(0, 100)}"` : 'This value';
  const hint = didYouMean(String(error.data), allowed, 'values');
  return problemAt(where, path, 'TEMPLATE_FIELD_INVALID', `${given} is not a value of ${path.join('.')}.`, { ...parameter, hint });
}

function hintOf(error: ErrorObject): string {
  const description: unknown = error.parentSchema?.description;
  return typeof description === 'string' ? `It is: ${description}` : 'See docs/templates.md for the shape of template.json.';
}

function propertiesOf(schema: Record<string, unknown> | undefined): object {
  const properties = schema?.properties;
  return typeof properties === 'object' && properties !== null ? properties : {};
}
