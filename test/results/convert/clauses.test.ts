// Why a conversion failed is said in a clause that a person understands, whatever library or program said it first.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { clauseOfError, clauseOfProgram } from '#results/convert/clauses.ts';
import { ffmpegPath } from '#results/convert/find-ffmpeg.ts';
import { convertedTo } from './moving-pictures.ts';

const FFMPEG = ffmpegPath() !== undefined;
if (!FFMPEG) console.warn('SKIPPED: no film without sound is converted, because there is no ffmpeg on PATH');
const MEDIA = join(import.meta.dirname, '..', '..', 'fixtures', 'media');
const FOLDER = '/runs/r1/.callsheet-1.partial';

describe('a full disk', () => {
  it.each([
    // libvips, Node, ffmpeg.
    `${FOLDER}/out.tiff: write error\nsystem error: No space left on device\nvips2tiff: Write error at scanline 256\nwbuffer_write: write failed`,
    'ENOSPC: no space left on device, write',
    'EDQUOT: disk quota exceeded, write',
    'av_interleaved_write_frame(): No space left on device\nError writing trailer of out.mp4: No space left on device\nConversion failed!\n',
  ])('is called one: %j', (words) => {
    expect(clauseOfError(new Error(words), FOLDER)).toBe('the disk is full');
    expect(clauseOfProgram(words, FOLDER)).toBe('the disk is full');
  });
});

describe('a failure', () => {
  it('is told without the working folder and control characters, in one line', () => {
    const words = `${FOLDER}/in.png: it is\u0007 broken\nand so on`;
    expect(clauseOfError(new Error(words), FOLDER)).toBe('in.png: it is  broken');
    expect(clauseOfProgram(words, FOLDER)).toBe('and so on');
    expect(clauseOfProgram(`${FOLDER}/out.mp4: file:/runs/r1/a.mov is broken\n`, FOLDER)).toBe('out.mp4: the file is broken');
    expect(clauseOfProgram(' \n', FOLDER)).toBeUndefined();
  });
});

describe('what is not in a file', () => {
  it.each(['mp4', 'webm', 'gif', 'frames'] as const)('is a picture, where a sound should become %s', async (to) => {
    await expect(convertedTo({ to }, [readFileSync(join(MEDIA, 'stereo.flac'))])).rejects.toThrow(/^there is no picture in it$/);
  });

  it.skipIf(!FFMPEG).each(['wav', 'flac', 'mp3'] as const)('is a sound, where a film without one should become %s', async (to) => {
    for (const name of ['vp9.mp4', 'prores-4444.mov', 'anim.gif'])
      await expect(convertedTo({ to }, [readFileSync(join(MEDIA, name))])).rejects.toThrow(/^there is no sound in it$/);
  });

  it('is known by what ffmpeg says, too', () => {
    const said = "Stream map '0:a:0' matches no streams.\nTo ignore this, add a trailing '?' to the map.\n";
    expect(clauseOfProgram(said, FOLDER)).toBe('there is no sound in it');
    expect(clauseOfProgram(said.replace(':a:', ':v:'), FOLDER)).toBe('there is no picture in it');
    expect(clauseOfProgram("Stream specifier ':v:0' in filtergraph description [0:v:0]null matches no streams.\n", FOLDER)).toBe(
      'there is no picture in it',
    );
  });
});
