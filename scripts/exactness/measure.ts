/**
 * The exactness of docs/templates.md as a figure: every input of a graph that holds a value becomes a parameter, by `set` and by a
 * placeholder in the file, generated values take the whole way from a client's message into the graph, and an independent reader
 * compares every value and every byte around it.
 */
import { addressOf } from '#templates/addresses.ts';
import { compileTemplate } from '#templates/compile.ts';
import { sourceOf } from '#templates/load.ts';
import { checkParameters, reviveParameters, storeParameters } from '#templates/parameters.ts';
import { renderStep } from '#templates/render.ts';
import type { ParameterDefinition } from '#templates/types.ts';
import { createRandom, type Random } from '../mutations/random.ts';
import { type Exact, exactly, type InputSpan, readInputs } from './reader.ts';
import { colorSample, type Sample, sampleFor } from './values.ts';

export interface Outcome {
  /** Values that were injected, and those that came out exactly. */
  readonly values: number;
  readonly exact: number;
  /** Stretches of text between injected values, and those that came out byte for byte. */
  readonly stretches: number;
  readonly untouched: number;
  readonly wrong: readonly string[];
  /** Why the graph as it is makes no template: then nothing was injected. */
  readonly refused?: string;
}

/** Parameters in one template, below the number that adoption allows. */
const PARAMETERS = 100;

interface Place extends InputSpan {
  readonly name: string;
  readonly sample: Sample;
  /** Text around the placeholder, both empty where it stands alone. */
  readonly before: string;
  readonly after: string;
  readonly how: 'set' | 'title' | 'file';
}

/** `text` is a graph in API form. */
export async function measureGraph(name: string, text: string, seed: number, rounds: number): Promise<Outcome> {
  const plain = compileTemplate(sourceOf(manifest({}, {}), { 'w.json': text }));
  if (plain.value === undefined) {
    const first = plain.problems.find(({ severity }) => severity === 'error');
    return { ...NONE, refused: `${first?.code}: ${first?.message}` };
  }
  const inputs = readInputs(text).filter((span) => !isLink(text, span));
  const outcomes: Outcome[] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (let from = 0; from < inputs.length; from += PARAMETERS) {
      const random = createRandom(seed, name, round, from);
      const places = inputs.slice(from, from + PARAMETERS).map((span, index) => placed(text, span, `p${index}`, random));
      outcomes.push(await measureOnce(`${name} round ${round}`, text, places));
    }
  }
  return outcomes.reduce(add, NONE);
}

const NONE: Outcome = { values: 0, exact: 0, stretches: 0, untouched: 0, wrong: [] };

export function add(a: Outcome, b: Outcome): Outcome {
  return {
    values: a.values + b.values,
    exact: a.exact + b.exact,
    stretches: a.stretches + b.stretches,
    untouched: a.untouched + b.untouched,
    wrong: [...a.wrong, ...b.wrong],
  };
}

function manifest(parameters: Readonly<Record<string, ParameterDefinition>>, set: Readonly<Record<string, string>>): string {
  const step = { id: 'a', workflow: 'w.json', set, outputs: { files: '*' } };
  return JSON.stringify({ format: 1, id: 'exact', version: '1.0.0', title: 'Exact', parameters, steps: [step] });
}

function isLink(text: string, { start, end }: InputSpan): boolean {
  const value = read(text.slice(start, end));
  return Array.isArray(value) && value.length === 2 && typeof value[0] === 'string' && isNumber(value[1]);
}

const isNumber = (value: unknown): boolean =>
  typeof value === 'bigint' || (typeof value === 'object' && value !== null && 'double' in value);

/** Undefined for Python's NaN and infinities, which are numbers to us and no JSON to this reader. */
function read(json: string): Exact | undefined {
  try {
    return exactly(json);
  } catch {
    return undefined;
  }
}

function placed(text: string, span: InputSpan, name: string, random: Random): Place {
  const json = text.slice(span.start, span.end);
  const value = read(json);
  const current = typeof value === 'boolean' ? 'boolean' : value === undefined || isNumber(value) ? 'number' : 'other';
  const how = random.pick(['set', 'title', 'file'] as const) ?? 'set';
  // A number that gives way to a placeholder is a text in the file: then anything may stand there.
  const target = how === 'file' ? 'other' : current;
  const sample = target === 'number' && random.below(8) === 0 ? colorSample(random) : sampleFor(target, random);
  const embeds = target === 'other' && sample.within !== undefined && random.below(3) === 0;
  const around = (): string => random.pick(['', 'a ', '{day|night} ', '"', '\\', '\n', '{', ' 𝄞 ', '(x:1.2), ']) ?? '';
  return { ...span, name, sample, how, before: embeds ? around() : '', after: embeds ? `;${around()}` : '' };
}

const placeholder = ({ before, name, after }: Place): string => `${before}{${name}}${after}`;

async function measureOnce(what: string, text: string, places: readonly Place[]): Promise<Outcome> {
  const file = splice(
    text,
    places.filter(({ how }) => how === 'file').map((place) => ({ ...place, json: JSON.stringify(placeholder(place)) })),
  );
  const titles = uniqueTitles(text);
  const set = Object.fromEntries(
    places
      .filter(({ how }) => how !== 'file')
      .map((place) => {
        const title = place.how === 'title' ? titles.get(place.node) : undefined;
        const escaped = title?.replaceAll(/["\\]/g, '\\$&');
        const address = escaped === undefined ? addressOf(place.node, place.input) : `"title:${escaped}".${place.input}`;
        return [address ?? '', placeholder(place)];
      }),
  );
  const parameters = Object.fromEntries(places.map(({ name, sample }) => [name, sample.definition]));
  const lost = (why: string): Outcome => ({
    ...NONE,
    values: places.length,
    stretches: places.length + 1,
    wrong: [`${what}: ${why}`],
  });
  const { value: template, problems } = compileTemplate(sourceOf(manifest(parameters, set), { 'w.json': file }));
  if (template === undefined) return lost(problems.map(({ code, message }) => `${code} ${message}`).join(' | '));
  const given = JSON.parse(`{${places.map(({ name, sample }) => `"${name}":${sample.given}`).join(',')}}`) as Record<string, unknown>;
  const checked = await checkParameters(template, given, {
    drawSeed: () => 0n,
    resolveMedia: async (path) => ({ $media: 'media', path, name: path, sha256: path, bytes: 1, mediaType: 'image/png' }),
    resolveDirectory: async (path) => path,
  });
  if (checked.value === undefined) return lost(checked.problems.map(({ code, message }) => `${code} ${message}`).join(' | '));
  const params = reviveParameters(template, storeParameters(checked.value));
  const rendered = renderStep(template, 'a', { params, steps: {}, choices: {} }, { mediaName: ({ name }) => `up/${name}` });
  if (rendered.value === undefined) return lost(rendered.problems.map(({ code, message }) => `${code} ${message}`).join(' | '));
  return compare(what, text, rendered.value.text, places);
}

function compare(what: string, before: string, after: string, places: readonly Place[]): Outcome {
  const wrong: string[] = [];
  const found = new Map(readInputs(after).map((span) => [`${span.node}\n${span.input}`, span]));
  let exact = 0;
  let untouched = 0;
  let [oldEnd, newEnd] = [0, 0];
  for (const place of places) {
    const { node, input, sample } = place;
    const span = found.get(`${node}\n${input}`) ?? { start: newEnd, end: newEnd };
    const now = after.slice(span.start, span.end);
    const alone = place.before === '' && place.after === '';
    const expected = alone ? sample.expected : `${place.before}${sample.within ?? ''}${place.after}`;
    if (same(read(now), expected)) exact += 1;
    else wrong.push(`${what}: ${node}.${input} by ${place.how} from ${sample.given.slice(0, 80)} became ${now.slice(0, 80)}`);
    if (before.slice(oldEnd, place.start) === after.slice(newEnd, span.start)) untouched += 1;
    else wrong.push(`${what}: the text before ${node}.${input} is not what it was`);
    [oldEnd, newEnd] = [place.end, span.end];
  }
  if (before.slice(oldEnd) === after.slice(newEnd)) untouched += 1;
  else wrong.push(`${what}: the end of the text is not what it was`);
  return { values: places.length, exact, stretches: places.length + 1, untouched, wrong };
}

function same(a: Exact | undefined, b: Exact): boolean {
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) return Object.is(a, b);
  const keys = Object.keys(a);
  return (
    Array.isArray(a) === Array.isArray(b) &&
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && same((a as Tree)[key], (b as Tree)[key] ?? null))
  );
}

type Tree = Readonly<Record<string, Exact>>;

function splice(text: string, edits: readonly { readonly start: number; readonly end: number; readonly json: string }[]): string {
  return edits.toReversed().reduce((all, { start, end, json }) => all.slice(0, start) + json + all.slice(end), text);
}

/** Titles that one node alone has, as JSON.parse reads them. */
function uniqueTitles(text: string): ReadonlyMap<string, string> {
  const graph = JSON.parse(text.replace(/^\uFEFF/, '').replaceAll(/\b(?:NaN|-?Infinity)\b/g, '0')) as Record<string, unknown>;
  const titles = Object.entries(graph).flatMap(([id, node]): [string, string][] => {
    const title = (node as { _meta?: { title?: unknown } } | null)?._meta?.title;
    return typeof title === 'string' && title !== '' ? [[id, title]] : [];
  });
  return new Map(titles.filter(([, title]) => titles.filter(([, other]) => other === title).length === 1));
}
