/** Measures UI → API conversion over a corpus folder: `node scripts/conversion-rate.ts CORPUS_DIR`. One line for each failure, then the rate by kind of ground truth. */
import { measureCorpus } from '../test/graph/convert/measure.ts';

const [corpus] = process.argv.slice(2);
if (corpus === undefined) {
  process.stderr.write('Usage: node scripts/conversion-rate.ts CORPUS_DIR\n');
  process.exit(2);
}
const outcomes = measureCorpus(corpus);
const kinds = new Map<string, { passed: number; all: number }>();
for (const { kind, name, failures } of outcomes) {
  const count = kinds.get(kind) ?? { passed: 0, all: 0 };
  kinds.set(kind, { passed: count.passed + (failures.length === 0 ? 1 : 0), all: count.all + 1 });
  if (failures.length > 0) process.stdout.write(`FAIL ${kind} ${name}: ${failures.length}: ${failures.slice(0, 4).join(' | ')}\n`);
}
for (const [kind, { passed, all }] of kinds) {
  process.stdout.write(`${kind}: ${passed} of ${all} (${((100 * passed) / all).toFixed(1)} %)\n`);
}
