/** Converts with a program that never ends, until somebody kills this process. */
import { convertFiles } from '#results/convert/convert.ts';

const [directory = '', input = '', program = ''] = process.argv.slice(2);
const ffmpeg = () => Promise.resolve({ path: program, version: '9', encoders: new Set<string>() });
const source = { path: input, mediaType: 'image/gif', kind: 'animation' } as const;
await convertFiles({ sources: [source], wish: { to: 'webm' }, directory, signal: new AbortController().signal, ffmpeg }, () =>
  Promise.resolve(),
);
