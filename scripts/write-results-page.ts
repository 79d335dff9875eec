/**
 * Writes the tables of docs/results.md: kinds of files from the table in code, with what is found in a file of each, and the shapes of outputs
 * with where they were recorded. With --check it only says whether they are up to date.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { FILE_FORMATS } from '#protocol/file-formats.ts';
import type { FileMediaType } from '#protocol/file-formats.ts';
import { recogniseBytes } from '#results/recognise.ts';
import { TABLE } from '#results/table.ts';
import { OUTPUT_CASES } from '../test/contracts/output-cases.ts';

const root = join(import.meta.dirname, '..');
const page = join(root, 'docs', 'results.md');
const fixtures = join(root, 'test', 'fixtures');

const NAMES: Readonly<Record<string, string>> = { sampleRate: 'sample rate', audioCodec: 'codec of the sound', width: 'size' };
/** In which order they are told. */
const ORDER = ['width', 'duration', 'frames', 'fps', 'channels', 'sampleRate', 'depth', 'alpha', 'codec', 'audioCodec'];

/** What is found in real files, by media type: what the table below says is what the code finds, not what somebody wrote down. */
async function factsByType(): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const media = join(fixtures, 'media');
  const files = readdirSync(media).filter((name) => !name.endsWith('.json'));
  const raw = (alpha: boolean) => sharp({ create: { width: 4, height: 4, channels: alpha ? 4 : 3, background: '#c86432' } });
  const frames = await Promise.all(
    ['#f00', '#00f'].map((background) =>
      sharp({ create: { width: 4, height: 4, channels: 3, background } })
        .png()
        .toBuffer(),
    ),
  );
  const made = [
    await raw(true).png().toBuffer(),
    await raw(false).jpeg().toBuffer(),
    await sharp(frames, { join: { animated: true } })
      .webp({ delay: [100, 100] })
      .toBuffer(),
    await raw(true).avif({ effort: 0 }).toBuffer(),
    Buffer.from('#?RADIANCE\n\n-Y 4 +X 4\n.'),
    Buffer.from('<svg width="4" height="4"/>'.replace('<svg', '<svg xmlns="http://www.w3.org/2000/svg"')),
  ];
  const found = new Map<string, Set<string>>();
  for (const bytes of [...files.map((name) => readFileSync(join(media, name))), ...made]) {
    const { mediaType, width, duration, facts = {} } = await recogniseBytes(bytes);
    const names = found.get(mediaType) ?? new Set<string>();
    for (const [name, value] of Object.entries({ width, duration, ...facts })) if (value !== undefined) names.add(name);
    found.set(mediaType, names);
  }
  return found;
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n');
}

async function kinds(): Promise<string> {
  const facts = await factsByType();
  const rows = Object.entries(FILE_FORMATS).map(([mediaType, { title, kind, extensions, from }]) => {
    const { measure, read } = TABLE[mediaType as FileMediaType];
    const told = ORDER.filter((name) => facts.get(mediaType)?.has(name)).map((name) => NAMES[name] ?? name);
    const whole = measure === undefined ? '' : told.length === 0 ? 'whole' : `whole, ${told.join(', ')}`;
    return [kind, title, `\`${mediaType}\``, extensions.map((one) => `.${one}`).join(' '), from, whole, read === undefined ? '' : 'yes'];
  });
  return table(['kind', 'format', 'media type', 'endings', 'for example from', 'looked at', 'texts read'], rows);
}

function shapes(): string {
  const records = readdirSync(join(fixtures, 'comfyui-outputs'))
    .filter((name) => name.endsWith('.json'))
    .map(
      (name) =>
        JSON.parse(readFileSync(join(fixtures, 'comfyui-outputs', name), 'utf8')) as { readonly case: string; readonly server: string },
    );
  const rows = OUTPUT_CASES.map(({ name, files, texts, temp, isGuess }) => {
    const given = [...Object.values(files).flat(), ...Object.values(texts ?? {}).flatMap((all) => all.map(() => 'text'))];
    const counts = [...new Set(given)].map((kind) => `${given.filter((one) => one === kind).length} × ${kind}`);
    const notes = [temp === true ? 'temporary' : '', isGuess === true ? 'found by name' : ''].filter((note) => note !== '');
    const servers = records.filter((record) => record.case === name).map(({ server }) => server);
    return [name, counts.join(', '), notes.join(', '), servers.length === 0 ? '' : [...new Set(servers)].join(', ')];
  });
  return table(['what nodes give', 'files and texts', '', 'recorded from ComfyUI'], rows);
}

const blocks = new Map([
  ['kinds', await kinds()],
  ['shapes', shapes()],
]);
const before = readFileSync(page, 'utf8');
let after = before;
for (const [name, text] of blocks) {
  const [start, end] = [`<!-- generated: ${name} -->\n`, `\n<!-- end of ${name} -->`];
  const [from, to] = [after.indexOf(start), after.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/results.md has no place for ${name}`);
  after = after.slice(0, from + start.length) + text + after.slice(to);
}
if (!process.argv.includes('--check')) writeFileSync(page, after);
else if (after !== before) {
  console.error(`${page} is out of date: run \`npm run generate\`.`);
  process.exitCode = 1;
}
