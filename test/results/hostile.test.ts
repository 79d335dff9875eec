/** Files that were made to be hard to read, and real ones changed at random: all of them are survived (bench/media.ts measures it). */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bytesInMemory } from '#results/bytes.ts';
import type { ByteSource } from '#results/bytes.ts';
import { readEmbedded } from '#results/embedded/read.ts';
import { createInspector } from '#results/inspect/inspector.ts';
import { recognise, recogniseBytes } from '#results/recognise.ts';
import { hostileFiles, mutate, realFiles } from './hostile.ts';
import { freshDirectory } from './samples.ts';

const HOSTILE = await hostileFiles();
const REAL = realFiles();

/** Counts what a parser asks for. */
function counted(source: ByteSource) {
  const asked = { reads: 0, longest: 0 };
  const read: ByteSource['read'] = (at, length) => {
    asked.reads += 1;
    asked.longest = Math.max(asked.longest, length);
    return source.read(at, length);
  };
  return { asked, source: { size: source.size, read } };
}

describe('[S27] [S28] hostile files', () => {
  for (const [name, bytes] of HOSTILE) {
    it(`do not take a reader in: ${name}`, async () => {
      const { asked, source } = counted(bytesInMemory(bytes));
      const found = await recognise(source);
      expect((found.width ?? 1) * (found.height ?? 1)).toBeLessThanOrEqual(2 ** 48);
      const { texts } = await readEmbedded(source);
      expect(asked.reads).toBeLessThan(100_010);
      expect(asked.longest).toBeLessThanOrEqual(1024 * 1024);
      expect(texts.reduce((sum, { text }) => sum + text.length, 0)).toBeLessThanOrEqual(32 * 1024 * 1024);
      expect(Object.prototype).not.toHaveProperty('polluted');
    });
  }

  it('are looked into by the child as well, or given up, and the next file is read', async () => {
    const inspector = createInspector();
    onTestFinished(() => inspector.close());
    const directory = freshDirectory();
    const outcomes = new Set<string>();
    for (const [name, bytes] of HOSTILE) {
      const path = join(directory, name.replaceAll(/\W+/g, '-'));
      writeFileSync(path, bytes);
      const outcome = await inspector.inspect(path).then(
        () => 'read',
        (error: { code?: string }) => error.code ?? 'another error',
      );
      outcomes.add(outcome);
    }
    expect([...outcomes].filter((outcome) => outcome !== 'read' && outcome !== 'FILE_TOO_COMPLEX')).toEqual([]);
  });
});

describe('[S27] real files', () => {
  const names = [...REAL.keys()];

  it('are survived cut at any byte', async () => {
    expect.hasAssertions();
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), fc.double({ min: 0, max: 1, noNaN: true }), async (name, part) => {
        const bytes = REAL.get(name) ?? Buffer.alloc(0);
        await survive(bytes.subarray(0, Math.floor(bytes.length * part)));
      }),
      { numRuns: 400 },
    );
  });

  it('are survived changed at random', async () => {
    expect.hasAssertions();
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...names),
        fc.infiniteStream(fc.double({ min: 0, max: 0.999_999, noNaN: true })),
        async (name, stream) => {
          const dice = () => stream.next().value ?? 0;
          await survive(mutate(REAL.get(name) ?? Buffer.alloc(0), dice));
        },
      ),
      { numRuns: 1500 },
    );
  });
});

/** It may say what it likes, but comes to an end, throws nothing, and says nothing absurd. */
async function survive(bytes: Buffer): Promise<void> {
  const found = await recogniseBytes(bytes);
  const numbers = [found.width, found.height, found.duration, ...Object.values(found.facts ?? {})];
  for (const value of numbers) expect(typeof value !== 'number' || (Number.isFinite(value) && value > 0)).toBe(true);
  await readEmbedded(bytesInMemory(bytes));
}
