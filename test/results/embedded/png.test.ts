import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { bytesInMemory } from '#results/bytes.ts';
import { readEmbedded } from '#results/embedded/read.ts';
import { compressedText, pngChunk, pngWith } from '../samples.ts';

const text = (keyword: string, value: string): Buffer => pngChunk('tEXt', Buffer.from(`${keyword}\0${value}`, 'latin1'));

function international(keyword: string, value: string, isCompressed: boolean): Buffer {
  const body = Buffer.from(value, 'utf8');
  const head = Buffer.from(`${keyword}\0${isCompressed ? '\x01' : '\0'}\0de\0Titel\0`, 'latin1');
  return pngChunk('iTXt', Buffer.concat([head, isCompressed ? deflateSync(body) : body]));
}

async function read(...chunks: readonly Buffer[]): Promise<Record<string, string>> {
  const { texts } = await readEmbedded(bytesInMemory(await pngWith(...chunks)));
  return Object.fromEntries(texts.map(({ key, text: value }) => [key, value]));
}

describe('texts of a PNG', () => {
  it('reads plain, compressed and international text', async () => {
    const found = await read(
      text('prompt', '{"3":{}}'),
      compressedText('workflow', 'w'.repeat(5000)),
      international('callsheet', 'Entwurf ✓', false),
      international('note', 'gepackt ✓', true),
    );
    expect(found).toEqual({ prompt: '{"3":{}}', workflow: 'w'.repeat(5000), callsheet: 'Entwurf ✓', note: 'gepackt ✓' });
  });

  it('leaves out text that would unpack to more than its limit', async () => {
    expect(await read(compressedText('bomb', '0'.repeat(20 * 1024 * 1024)), text('a', '1'))).toEqual({ a: '1' });
  });

  it('leaves out what is damaged', async () => {
    const broken = [
      pngChunk('tEXt', Buffer.from('no separator')),
      pngChunk('tEXt', Buffer.from(`${'k'.repeat(80)}\0x`)),
      pngChunk('zTXt', Buffer.from('z\0\0not deflated')),
      pngChunk('zTXt', Buffer.from('z\0\x07')),
      pngChunk('iTXt', Buffer.from('i\0\0\0')),
    ];
    expect(await read(...broken, text('a', '1'))).toEqual({ a: '1' });
  });
});
