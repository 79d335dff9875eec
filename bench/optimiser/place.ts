/** What every measurement needs: a scratch folder, the pictures, the templates, and the names of the models in them. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makePictures } from './pictures.ts';
import { modelFiles, requestedFiles, type Spec } from './spec.ts';

export const RESULTS = fileURLToPath(new URL('../results/', import.meta.url));
export const COST_MODEL = fileURLToPath(new URL('cost-model.json', import.meta.url));
const TEMPLATES = fileURLToPath(new URL('templates/', import.meta.url));
const LIBRARY = fileURLToPath(new URL('../../templates/', import.meta.url));

export interface Place {
  /** Everything is written below; emptied after each measurement. */
  readonly scratch: string;
  readonly templates: string;
  /** The same, and those of the library, with no step sharing a prompt. */
  readonly unfused: string;
  readonly pictures: ReadonlyMap<string, string>;
  /** Model file names by folder, for a sandbox to offer. */
  readonly models: Readonly<Record<string, readonly string[]>>;
}

/** Calls `work` with a place that is gone afterwards. */
export async function withPlace<T>(spec: Spec, work: (place: Place) => Promise<T>): Promise<T> {
  mkdirSync(RESULTS, { recursive: true });
  const scratch = mkdtempSync(join(RESULTS, 'scratch-'));
  try {
    const pictures = await makePictures(scratch, spec.pictures);
    return await work({
      scratch,
      templates: TEMPLATES,
      unfused: copyUnfused(join(scratch, 'unfused')),
      pictures,
      models: modelNames(spec),
    });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function copyUnfused(to: string): string {
  for (const from of [TEMPLATES, LIBRARY]) cpSync(from, to, { recursive: true });
  for (const name of readdirSync(to, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('template.json')) continue;
    const manifest = JSON.parse(readFileSync(join(to, name), 'utf8')) as { steps: readonly object[] };
    const steps = manifest.steps.map((step) => ({ ...step, fuse: false }));
    writeFileSync(join(to, name), JSON.stringify({ ...manifest, steps }));
  }
  return to;
}

function modelNames(spec: Spec): Record<string, string[]> {
  const graphs = readdirSync(TEMPLATES, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.json') && !name.endsWith('template.json'))
    .map((name) => readFileSync(join(TEMPLATES, name), 'utf8'));
  const names: Record<string, string[]> = {};
  for (const file of [...modelFiles(graphs), ...requestedFiles(spec)]) {
    const cut = file.indexOf('/');
    (names[file.slice(0, cut)] ??= []).push(file.slice(cut + 1));
  }
  return names;
}
