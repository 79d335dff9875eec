/** Of which files the pixels alone are sent: of pictures of the run's own, into nodes of ComfyUI's own that read nothing else. */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, it } from 'vitest';
import type { RunMemory } from '#actors/deps.ts';
import { asSent } from '#actors/handed-on.ts';
import { parseObjectInfo } from '#graph/object-info.ts';
import type { MediaValue } from '#templates/types.ts';
import { freshDirectory, pngChunk } from '../results/samples.ts';

const PLAIN = await sharp({ create: { width: 2, height: 2, channels: 3, background: 'red' } })
  .png()
  .toBuffer();
const WRITTEN = Buffer.concat([PLAIN.subarray(0, 33), pngChunk('tEXt', Buffer.from('prompt\0{}')), PLAIN.subarray(33)]);
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

function media(mediaType = 'image/png'): MediaValue {
  const path = join(freshDirectory(), 'out.png');
  writeFileSync(path, WRITTEN);
  return { $media: 'media', path, name: 'out.png', sha256: sha256(WRITTEN), bytes: WRITTEN.length, mediaType };
}

const classOf = (name: string, module: string) => ({
  [name]: { input: { required: { image: [['a.png'], {}] } }, output: ['IMAGE'], output_node: false, python_module: module },
});
const { info } = parseObjectInfo(
  JSON.stringify({
    ...classOf('LoadImage', 'nodes'),
    ...classOf('LoadImageMask', 'custom_nodes.masks'),
    ...classOf('LoadImageWithMetadata', 'custom_nodes.pack'),
  }),
);

/** The hash of what is sent, of a picture that the run gave itself. */
async function sentTo(classType: string, input = 'image', { own = true, known = true, mediaType = 'image/png' } = {}) {
  const file = media(mediaType);
  const memory = { artifacts: own ? [{ path: file.path }] : [] } as unknown as RunMemory;
  const sent = await asSent(memory, [file], () => Promise.resolve(known ? info : undefined));
  return sent(file, { classType, input }).sha256;
}

it('the pixels alone go into a LoadImage', async () => {
  expect(await sentTo('LoadImage')).toBe(sha256(PLAIN));
});

it.each([
  ['to a class of a pack', () => sentTo('LoadImageWithMetadata')],
  ['to a class of a pack that has the name of one of ComfyUI’s own', () => sentTo('LoadImageMask')],
  ['to a class that nobody knows', () => sentTo('LoadImageOutput')],
  ['to another input', () => sentTo('LoadImage', 'name')],
  ['where the server does not say what its nodes are', () => sentTo('LoadImage', 'image', { known: false })],
  ['of a user', () => sentTo('LoadImage', 'image', { own: false })],
  ['that is no PNG by its kind', () => sentTo('LoadImage', 'image', { mediaType: 'image/webp' })],
])('the whole of a file goes %s', async (_, sent) => {
  expect(await sent()).toBe(sha256(WRITTEN));
});

it('the whole of a file goes where its name is a part of a longer text', async () => {
  const file = media();
  const sent = await asSent({ artifacts: [{ path: file.path }] } as unknown as RunMemory, [file], () => Promise.resolve(info));
  expect(sent(file).sha256).toBe(sha256(WRITTEN));
});
