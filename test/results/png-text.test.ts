import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { bytesInMemory } from '#results/bytes.ts';
import { readPngText } from '#results/png-text.ts';
import { compressedText, pngChunk, pngWith } from './samples.ts';

const text = (keyword: string, value: string): Buffer => pngChunk('tEXt', Buffer.from(`${keyword}\0${value}`, 'latin1'));

function international(keyword: string, value: string, isCompressed: boolean): Buffer {
  const body = Buffer.from(value, 'utf8');
  const head = Buffer.from(`${keyword}\0${isCompressed ? '\x01' : '\0'}\0de\0Titel\0`, 'latin1');
  return pngChunk('iTXt', Buffer.concat([head, isCompressed ? deflateSync(body) : body]));
}

async function read(...chunks: readonly Buffer[]): Promise<Record<string, string>> {
  return Object.fromEntries(await readPngText(bytesInMemory(await pngWith(...chunks))));
}

describe('readPngText', () => {
  it('reads plain, compressed and international text', async () => {
    const found = await read(
      text('prompt', '{"3":{}}'),
      compressedText('workflow', 'w'.repeat(5000)),
      international('callsheet', 'Entwurf ✓', false),
      international('note', 'gepackt ✓', true),
    );
    expect(found).toEqual({ prompt: '{"3":{}}', workflow: 'w'.repeat(5000), callsheet: 'Entwurf ✓', note: 'gepackt ✓' });
  });

  it('keeps the first of two texts with one keyword', async () => {
    expect(await read(text('a', '1'), text('a', '2'))).toEqual({ a: '1' });
  });

  it('leaves out text that would unpack to more than its limit', async () => {
    expect(await read(compressedText('bomb', '0'.repeat(8 * 1024 * 1024)), text('a', '1'))).toEqual({ a: '1' });
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

  it('finds nothing in what is no PNG', async () => {
    expect((await readPngText(bytesInMemory(Buffer.from('GIF89a')))).size).toBe(0);
  });
});
