/** Format 0 to format 1: the draft that was written before format 1 was settled. */
import { removeMembers, type Span, type Splice } from '#graph/rewrite.ts';
import type { JsonMember, JsonNode, JsonObject } from '#graph/types.ts';
import { member } from './locate.ts';
import type { FormatChange, FormatStep } from './format-step.ts';

/** Fields of the draft that format 1 calls otherwise. */
const TOP = { name: 'title', params: 'parameters', inputs: 'parameters' } as const;
const PARAMETER = { label: 'title', min: 'minimum', max: 'maximum', options: 'choices', enum: 'choices', help: 'description' } as const;
const TYPES = { int: 'integer', float: 'number', bool: 'boolean', str: 'string', select: 'choice', enum: 'choice' } as const;

/** What the draft wrote at the top for its one step. */
const OF_STEP = ['workflow', 'backend', 'set', 'each', 'when'] as const;
const STEP_ID = 'main';

/** A manifest without `format` is a draft only when it has a field that no other format has. */
export function looksLikeDraft(root: JsonObject): boolean {
  return [...Object.keys(TOP), 'workflow'].some((name) => member(root, name) !== undefined);
}

export const draftToOne: FormatStep = {
  from: 0,
  to: 1,
  migrate(root, text) {
    const splices: Splice[] = [];
    const changes: FormatChange[] = [];
    const rename = (owner: JsonObject, old: JsonMember, name: string, where: string): void => {
      if (member(owner, name) !== undefined) return;
      splices.push({ ...spanOf(old.key), parts: [JSON.stringify(name)] });
      changes.push({ at: old.key, what: `${where}"${old.key.value}" is called "${name}"` });
    };
    for (const each of root.members) {
      const name = nameIn(TOP, each.key.value);
      if (name !== undefined && !isDouble(root, each)) rename(root, each, name, '');
    }
    migrateVersion(root, splices, changes);
    const parameters = member(root, 'params') ?? member(root, 'inputs') ?? member(root, 'parameters');
    for (const { key, value } of parameters?.kind === 'object' ? parameters.members : []) {
      if (value.kind === 'object') migrateParameter(key.value, value, splices, changes, rename);
    }
    migrateStep(root, splices, changes);
    migrateFormat(root, text, splices, changes);
    return { splices, changes };
  },
};

// --- helpers ---

const spanOf = ({ start, end }: Span): Span => ({ start, end });

function nameIn(names: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(names, name) ? names[name] : undefined;
}

/** Of `params` and `inputs` together only the first is renamed; the other stays, and is reported as a field that does not exist. */
function isDouble(root: JsonObject, { key }: JsonMember): boolean {
  return key.value === 'inputs' && member(root, 'params') !== undefined;
}

/** `1`, `"1.2"`: numbers are filled up to three. */
function migrateVersion(root: JsonObject, splices: Splice[], changes: FormatChange[]): void {
  const version = member(root, 'version');
  const said = version?.kind === 'number' ? version.raw : version?.kind === 'string' ? version.value : undefined;
  if (version === undefined || said === undefined || !/^\d{1,9}(?:\.\d{1,9}){0,2}$/.test(said)) return;
  const parts = said.split('.').map((part) => part.replace(/^0+(?=\d)/, ''));
  const full = [...parts, '0', '0'].slice(0, 3).join('.');
  if (version.kind === 'string' && version.value === full) return;
  splices.push({ ...spanOf(version), parts: [JSON.stringify(full)] });
  changes.push({ at: version, what: `version ${said} is written "${full}"` });
}

function migrateParameter(
  name: string,
  definition: JsonObject,
  splices: Splice[],
  changes: FormatChange[],
  rename: (owner: JsonObject, old: JsonMember, name: string, where: string) => void,
): void {
  for (const each of definition.members) {
    const now = nameIn(PARAMETER, each.key.value);
    const double = each.key.value === 'enum' && member(definition, 'options') !== undefined;
    if (now !== undefined && !double) rename(definition, each, now, `parameter ${name}: `);
    if ((each.key.value !== 'type' && each.key.value !== 'of') || each.value.kind !== 'string') continue;
    const type = nameIn(TYPES, each.value.value);
    if (type === undefined) continue;
    splices.push({ ...spanOf(each.value), parts: [JSON.stringify(type)] });
    changes.push({ at: each.value, what: `parameter ${name}: type "${each.value.value}" is called "${type}"` });
  }
}

/** A template with one workflow had no steps: what belongs to the step goes into one, where `workflow` stood. */
function migrateStep(root: JsonObject, splices: Splice[], changes: FormatChange[]): void {
  const workflow = root.members.findLast(({ key }) => key.value === 'workflow');
  if (workflow === undefined || member(root, 'steps') !== undefined) return;
  const fields = OF_STEP.flatMap((name) => root.members.findLast(({ key }) => key.value === name) ?? []);
  const outputs = root.members.findLast(({ key }) => key.value === 'outputs');
  const ofStep = outputs !== undefined && isTexts(outputs.value) ? [...fields, outputs] : fields;
  const parts: (string | Span)[] = [`"steps": [{ "id": "${STEP_ID}"`];
  for (const { key, value } of ofStep) parts.push(', ', { start: key.start, end: value.end });
  parts.push(' }]');
  if (outputs !== undefined && ofStep.includes(outputs) && outputs.value.kind === 'object') {
    const named = outputs.value.members.map(({ key }) => `${JSON.stringify(key.value)}: { "from": "{steps.${STEP_ID}.${key.value}}" }`);
    if (named.length > 0) parts.push(`, "outputs": { ${named.join(', ')} }`);
  }
  splices.push({ start: workflow.key.start, end: workflow.value.end, parts });
  splices.push(...removeMembers(root, new Set(ofStep.filter((moved) => moved !== workflow))));
  changes.push({ at: workflow.key, what: `"workflow" and what belongs to it make the step "${STEP_ID}"` });
}

function isTexts(node: JsonNode): boolean {
  return node.kind === 'object' && node.members.every(({ value }) => value.kind === 'string');
}

function migrateFormat(root: JsonObject, text: string, splices: Splice[], changes: FormatChange[]): void {
  const format = member(root, 'format');
  const [first] = root.members;
  if (format !== undefined) splices.push({ ...spanOf(format), parts: ['1'] });
  else if (first !== undefined) {
    const lead = text.slice(root.start + 1, first.key.start);
    splices.push({ start: first.key.start, end: first.key.start, parts: [`"format": 1,${lead === '' ? ' ' : lead}`] });
  }
  changes.push({ at: format ?? root, what: '"format" is 1' });
}
