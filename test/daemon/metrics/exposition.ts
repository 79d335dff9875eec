/** A strict reader of Prometheus' text format: what a scraper would complain about is thrown, and so is what `promtool check metrics` finds. */

export interface Family {
  readonly type: string;
  readonly help: string;
  readonly samples: readonly Line[];
}

interface Line {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const SAMPLE = /^([^\s{]+)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/gy;

export function parseExposition(text: string): ReadonlyMap<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const families = new Map<string, { type: string; help: string; samples: Line[] }>();
  let current = '';
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, kind, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (kind === 'HELP') {
      if (families.has(name)) throw new Error(`${name} is told of twice`);
      if (!NAME.test(name)) throw new Error(`${name} is no name`);
      families.set(name, { type: '', help: rest, samples: [] });
      current = name;
    } else if (kind === 'TYPE') {
      const family = families.get(name);
      if (family === undefined || name !== current || family.type !== '') throw new Error(`the type of ${name} is out of place`);
      family.type = rest;
    } else if (line.startsWith('#')) throw new Error(`neither HELP nor TYPE: ${line}`);
    else families.get(current)?.samples.push(sampleOf(line, current));
  }
  for (const [name, family] of families) demandSound(name, family);
  return families;
}

/** Undefined where there is no such line. */
export function valueOf(
  page: ReadonlyMap<string, Family>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
  line = name,
): number | undefined {
  const found = (page.get(name)?.samples ?? []).filter(
    (sample) => sample.name === line && JSON.stringify(sorted(sample.labels)) === JSON.stringify(sorted(labels)),
  );
  return found[0]?.value;
}

// --- helpers ---

const sorted = (labels: Readonly<Record<string, string>>) => Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1));

function sampleOf(line: string, family: string): Line {
  const [, name = '', inside = '', number = ''] = SAMPLE.exec(line) ?? [];
  if (name.replace(/_(?:bucket|sum|count)$/, '') !== family && name !== family) throw new Error(`${line} stands below ${family}`);
  const labels: Record<string, string> = {};
  let read = 0;
  for (const [whole, label = '', text = ''] of inside.matchAll(LABEL)) {
    if (Object.hasOwn(labels, label)) throw new Error(`a label is there twice: ${line}`);
    labels[label] = text.replaceAll(/\\(["\\n])/g, (_, char: string) => (char === 'n' ? '\n' : char));
    read += whole.length;
  }
  if (read !== inside.length) throw new Error(`the labels cannot be read: ${line}`);
  const value = number === '+Inf' ? Infinity : number === 'Nan' || number === 'NaN' ? Number.NaN : Number(number);
  if (Number.isNaN(value) && !/^nan$/i.test(number)) throw new Error(`no number: ${line}`);
  return { name, labels, value };
}

function demandSound(name: string, { type, help, samples }: Family): void {
  if (!['counter', 'gauge', 'histogram', 'summary'].includes(type)) throw new Error(`${name} is of type '${type}'`);
  if (help.trim() === '') throw new Error(`${name} says nothing of itself`);
  const keys = samples.map((sample) => `${sample.name} ${JSON.stringify(sorted(sample.labels))}`);
  if (new Set(keys).size !== keys.length) throw new Error(`${name} has a series twice`);
  if (type === 'counter' && samples.some(({ value }) => !(value >= 0))) throw new Error(`${name} counts below nothing`);
  if (type === 'histogram') demandHistogram(name, samples);
}

function demandHistogram(name: string, samples: readonly Line[]): void {
  const groups = Map.groupBy(samples, ({ labels: { le: _le, ...labels } }) => JSON.stringify(sorted(labels)));
  for (const [group, lines] of groups) {
    const buckets = lines.filter((line) => line.name === `${name}_bucket`);
    const count = lines.find((line) => line.name === `${name}_count`)?.value;
    if (lines.filter((line) => line.name === `${name}_sum`).length !== 1) throw new Error(`${name} ${group} has no sum`);
    const bounds = buckets.map(({ labels: { le = '' } }) => (le === '+Inf' ? Infinity : Number(le)));
    if (bounds.at(-1) !== Infinity || buckets.at(-1)?.value !== count) throw new Error(`${name} ${group} ends before +Inf`);
    const rises = (values: readonly number[]) => values.every((value, index) => index === 0 || value >= (values[index - 1] ?? 0));
    if (!rises(bounds) || !rises(buckets.map(({ value }) => value))) throw new Error(`${name} ${group} does not rise`);
  }
}
