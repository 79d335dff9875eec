/**
 * What the optimiser saves: `npm run bench:optimiser`. Fixed requests, naive against optimised, on the sandbox that counts what the work would cost
 * on two machines; outputs must be equal to the pixel. Options: --sequence ID, --profile NAME, --cache classic|ram (each may be repeated).
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadPrices } from '#backends/sandbox/costs/cost-model.ts';
import { makePictures } from './optimiser/pictures.ts';
import { measureNaive, measureOptimised, takeReference } from './optimiser/measure.ts';
import { createMemo, type Machine } from './optimiser/sandbox.ts';
import { modelFiles, readSpec, requestedFiles } from './optimiser/spec.ts';
import { EVERYTHING } from './optimiser/variants.ts';
import { readFileSync, readdirSync } from 'node:fs';

const { values } = parseArgs({
  options: {
    sequence: { type: 'string', multiple: true },
    profile: { type: 'string', multiple: true, default: ['rtx-4090', 'rtx-3060'] },
    cache: { type: 'string', multiple: true, default: ['classic', 'ram'] },
    'naive-only': { type: 'boolean', default: false },
  },
});
const here = fileURLToPath(new URL('./optimiser/', import.meta.url));
const results = fileURLToPath(new URL('./results/', import.meta.url));
mkdirSync(results, { recursive: true });
const scratch = mkdtempSync(join(results, 'scratch-'));
try {
  const spec = readSpec();
  const pictures = await makePictures(scratch, spec.pictures);
  const templates = join(here, 'templates');
  const graphs = readdirSync(templates, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => readFileSync(join(templates, name, 'workflow.json'), 'utf8'));
  const models: Record<string, string[]> = {};
  for (const file of [...modelFiles(graphs), ...requestedFiles(spec)])
    (models[file.slice(0, file.indexOf('/'))] ??= []).push(file.slice(file.indexOf('/') + 1));
  const place = { scratch, templates, pictures, models };
  for (const sequence of spec.sequences) {
    if (values.sequence !== undefined && !values.sequence.includes(sequence.id)) continue;
    const memo = createMemo();
    const t = performance.now();
    const reference = await takeReference(sequence, place, loadPrices(join(here, 'cost-model.json')), memo);
    console.log(sequence.id, 'reference', ((performance.now() - t) / 1000).toFixed(1), 's');
    for (const profile of values.profile)
      for (const cache of values.cache as ('classic' | 'ram')[]) {
        const machine: Machine = {
          prices: loadPrices(join(here, 'cost-model.json'), profile),
          cache,
          pageCache: reference.pageCache,
          models,
          memo,
        };
        const naive = await measureNaive(reference, place, machine);
        const out = [
          profile,
          cache,
          'naive',
          naive.seconds.toFixed(2),
          'least',
          naive.least.toFixed(2),
          `possible ${(100 * (1 - naive.least / naive.seconds)).toFixed(0)} %`,
          'loads',
          naive.modelLoads,
          'steps',
          naive.samplerSteps,
        ];
        if (!values['naive-only']) {
          const optimised = await measureOptimised(reference, place, machine, EVERYTHING);
          out.push('optimised', optimised.seconds.toFixed(2), `saved ${(100 * (1 - optimised.seconds / naive.seconds)).toFixed(1)} %`);
        }
        console.log('  ', ...out, ((performance.now() - t) / 1000).toFixed(1), 's');
      }
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
