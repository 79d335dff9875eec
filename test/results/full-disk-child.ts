/** Saves files into a directory with room for some of them only, then makes room; says what became of each. Started by full-disk.test.ts. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { CallsheetError } from '#protocol/errors.ts';
import { saveArtifact } from '#results/save.ts';
import { provenance, wav } from './samples.ts';

const [directory = ''] = process.argv.slice(2);
const outcomes: string[] = [];

async function save(name: string): Promise<void> {
  // In pieces, so that the disk runs full in the middle of one.
  const bytes = wav();
  const source = Readable.from(
    Array.from({ length: 20 }, (_, n) => bytes.subarray((n * bytes.length) / 20, ((n + 1) * bytes.length) / 20)),
  );
  try {
    await saveArtifact({ source, directory, baseName: name, provenance: provenance({ artifactId: name, node: name }) });
    outcomes.push('saved');
  } catch (error) {
    outcomes.push(error instanceof CallsheetError ? `${error.code}: ${error.message.replace(directory, 'DIR')}` : String(error));
  }
}

for (let file = 0; file < 12; file += 1) await save(`a${String(file)}`);
const before = readdirSync(directory, { recursive: true, encoding: 'utf8' });
for (const name of before.filter((one) => one.endsWith('.wav')).slice(1)) rmSync(join(directory, name));
await save('after');
const after = readdirSync(directory, { recursive: true, encoding: 'utf8' });
process.stdout.write(JSON.stringify({ outcomes, before, after }));
