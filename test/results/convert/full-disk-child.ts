/** Converts a picture into a directory with room for less; says why each failed and what is left. Started by full-disk.test.ts. */
import { readdirSync } from 'node:fs';
import { toErrorData } from '#protocol/errors.ts';
import { convertFiles } from '#results/convert/convert.ts';

const [directory = '', path = ''] = process.argv.slice(2);
const source = { path, mediaType: 'image/png', kind: 'image' } as const;
const said: (readonly [string, string | undefined])[] = [];
for (const to of ['tiff', 'exr', 'png'] as const) {
  try {
    await convertFiles({ sources: [source], wish: { to }, directory, signal: new AbortController().signal }, () => Promise.resolve());
    said.push(['converted', undefined]);
  } catch (error) {
    const { message, hint } = toErrorData(error);
    said.push([message, hint]);
  }
}
process.stdout.write(JSON.stringify({ said, left: readdirSync(directory) }));
