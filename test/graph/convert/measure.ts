/** Runs the conversion over a corpus folder and compares each result with its ground truth. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { convertWorkflow } from '../../../src/graph/convert/convert.ts';
import { withOldClasses } from '../../../src/graph/old-classes.ts';
import { type ObjectInfo, parseObjectInfo } from '../../../src/graph/object-info.ts';
import { compareGraphs, isIsomorphic, type CompareOptions, type PlainGraph, readPlain } from './compare-graphs.ts';

export interface Outcome {
  readonly kind: string;
  readonly name: string;
  /** Empty when the graph is equal to the ground truth. */
  readonly failures: readonly string[];
}

export const CORE = 'core-2026-08-22-v0.33.0.json';
export const MERGED = 'merged-core-2026-08-22-plus-comfyts-2024.json';

/** `oracle/`, `oracle_custom/` and `pairs/` of the corpus, each pair by its verdict in INDEX.tsv. */
export function measureCorpus(corpus: string): Outcome[] {
  const core = readInfo(join(corpus, 'object_info', CORE));
  const merged = readInfo(join(corpus, 'object_info', MERGED));
  const loose = nondeterministic(corpus);
  const dated = readdirSync(join(corpus, 'object_info'))
    .filter((file) => /^core-.*\.json$/.test(file))
    .toSorted()
    .toReversed()
    .map((file) => readInfo(join(corpus, 'object_info', file)));
  const outcomes: Outcome[] = [];
  for (const [folder, info] of [
    ['oracle', core],
    ['oracle_custom', merged],
  ] as const) {
    for (const file of readdirSync(join(corpus, folder)).toSorted()) {
      if (!file.endsWith('.api.json')) continue;
      const name = file.slice(0, -'.api.json'.length);
      const source = sourceOf(corpus, name);
      if (source === undefined) throw new Error(`no UI file for ${folder}/${name}`);
      const options = loose.has(`${folder}/${name}`) ? { choicesDrawn: true } : {};
      outcomes.push({ kind: folder, name, failures: judge(source, read(join(corpus, folder, file)), info, options) });
    }
  }
  // Files of schema 1, and the same saved again as 0.4.
  for (const file of existsSync(join(corpus, 'ui_v1')) ? readdirSync(join(corpus, 'ui_v1')).toSorted() : []) {
    const expected = join(corpus, 'oracle', `${file.replace(/(?:\.resaved04)?\.json$/, '')}.api.json`);
    const failures = existsSync(expected) ? judge(read(join(corpus, 'ui_v1', file)), read(expected), core) : ['no oracle'];
    outcomes.push({ kind: 'ui_v1', name: file, failures });
  }
  for (const row of rows(join(corpus, 'INDEX.tsv'))) {
    if (row['cat'] !== 'pairs') continue;
    const { name = '', verdict = '', detail = '' } = row;
    const ui = read(join(corpus, 'pairs', `${name}.ui.json`));
    const api = read(join(corpus, 'pairs', `${name}.api.json`));
    outcomes.push({ kind: `pairs ${verdict}`, name, failures: judgePair(ui, api, verdict, detail, [...dated, merged], merged) });
  }
  return outcomes;
}

/** Differences between what the conversion makes and `expected`; when it makes nothing, the problems that say why. */
export function judge(ui: string, expected: string, info: ObjectInfo, options: CompareOptions = {}): string[] {
  const { graph, problems } = convertWorkflow(ui, info);
  if (graph === undefined) return problems.filter(({ severity }) => severity === 'error').map(({ code, message }) => `${code} ${message}`);
  return compareGraphs(readPlain(expected), readPlain(graph), options);
}

/** Keys that old front ends wrote and no server reads. */
const OLD_KEYS = new Set([
  'upload',
  'choose file to upload',
  'video-preview',
  'videopreview',
  'Random seed after every gen',
  'control_after_generate',
  'audioUI',
  'speak_and_recognation',
]);

function judgePair(ui: string, api: string, verdict: string, detail: string, infos: readonly ObjectInfo[], merged: ObjectInfo): string[] {
  if (verdict === 'A-exact') return judgeDated(ui, api, infos);
  if (verdict === 'A-isomorphic') {
    return infos.some((info) => isomorphic(ui, api, info)) ? [] : ['not isomorphic'];
  }
  if (verdict === 'B-drift') {
    // `-key` was written by an old front end, `+key` belongs to a newer node.
    const drift = new Set([...detail.matchAll(/[-+](.+?) x\d+/g)].map((match) => (match[1] ?? '').replace(/^.*\./, '')));
    return judgeDated(ui, api, infos, {
      ignore: (_, input) => OLD_KEYS.has(input) || drift.has(input),
      oldSamplers: detail.includes('sample_ prefix'),
    });
  }
  if (verdict === 'G-groupnode') {
    const failures = infos.map((info) =>
      isomorphic(ui, api, info) ? [] : judge(ui, api, info, { ignore: (_, input) => OLD_KEYS.has(input) }),
    );
    return failures.find((each) => each.length === 0) ?? failures[0] ?? [];
  }
  if (verdict === 'B-isomorphic' || verdict === 'D-values') return judgeKnown(ui, api, merged, { structureOnly: true });
  if (verdict === 'C-custom')
    return judgeKnown(ui, api, merged, {
      ignore: (classType, input, side) => OLD_KEYS.has(input) || side === 'actual' || infos[0]?.classes.has(classType) !== true,
    });
  return judgeKnown(ui, api, merged, { ignore: (_, input) => OLD_KEYS.has(input) });
}

/** A recorded graph belongs to the object info of its day, which is not known: one of them must give it. */
function judgeDated(ui: string, api: string, infos: readonly ObjectInfo[], options: CompareOptions = {}): string[] {
  let first: string[] | undefined;
  for (const info of infos) {
    const failures = judge(ui, api, info, options);
    if (failures.length === 0) return failures;
    first ??= failures;
  }
  return first ?? [];
}

function isomorphic(ui: string, api: string, info: ObjectInfo): boolean {
  const { graph } = convertWorkflow(ui, info);
  return graph !== undefined && isIsomorphic(readPlain(api, OLD_KEYS), readPlain(graph));
}

/** Only nodes whose class is known are compared; the others must be named by a problem each. */
function judgeKnown(ui: string, api: string, info: ObjectInfo, options: CompareOptions): string[] {
  const { nodes, problems } = convertWorkflow(ui, info, { strict: true });
  const actual: PlainGraph = readPlain(
    `{${nodes.map(({ id, classType, inputs }) => `${JSON.stringify(id)}:{"class_type":${JSON.stringify(classType)},"inputs":{${[...inputs].map(([name, { json }]) => `${JSON.stringify(name)}:${json}`).join(',')}}}`).join(',')}}`,
  );
  const other = problems
    .filter(({ severity, code }) => severity === 'error' && code !== 'CONVERT_CLASS_UNKNOWN' && code !== 'CONVERT_WIDGETS_MISFIT')
    .map(({ code, message }) => `${code} ${message}`);
  const expected = readPlain(api);
  /** Saved by another version of its pack: refused by name, which is right. */
  const refused = new Set(problems.flatMap(({ code, node }) => (code === 'CONVERT_WIDGETS_MISFIT' && node !== undefined ? [node] : [])));
  // Classes that the server has replaced since are known by their old names.
  const known = withOldClasses(info);
  const silent = [...expected].filter(([id, { classType }]) => !known.classes.has(classType) && !problems.some(({ node }) => node === id));
  return [
    ...other,
    ...silent.map(([id, { classType }]) => `node ${id} ${classType} is of unknown class and no problem says so`),
    ...compareGraphs(without(expected, refused), actual, { ...options, skip: (classType) => !info.classes.has(classType) }),
  ];
}

function without(graph: PlainGraph, ids: ReadonlySet<string>): PlainGraph {
  return new Map([...graph].filter(([id]) => !ids.has(id)));
}

function nondeterministic(corpus: string): ReadonlySet<string> {
  const file = join(corpus, 'oracle', 'NONDETERMINISTIC.txt');
  if (!existsSync(file)) return new Set();
  return new Set(
    read(file)
      .split(/\r?\n/)
      .map((line) => line.split('\t')[0] ?? ''),
  );
}

function sourceOf(corpus: string, name: string): string | undefined {
  const file = [
    join(corpus, 'pairs', `${name}.ui.json`),
    join(corpus, 'ui', `${name}.json`),
    join(corpus, 'ui', `${name}.ui.json`),
    join(corpus, 'broken', `${name}.json`),
  ].find((path) => existsSync(path));
  return file === undefined ? undefined : read(file);
}

export function readInfo(path: string): ObjectInfo {
  const { info } = parseObjectInfo(read(path));
  if (info === undefined) throw new Error(`no object info: ${path}`);
  return info;
}

function rows(path: string): Record<string, string>[] {
  const [head = '', ...lines] = read(path)
    .split(/\r?\n/)
    .filter((line) => line !== '');
  const names = head.split('\t');
  return lines.map((line) => Object.fromEntries(line.split('\t').map((cell, index) => [names[index] ?? '', cell])));
}

const read = (path: string): string => readFileSync(path, 'utf8');
