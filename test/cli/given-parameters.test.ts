import fc from 'fast-check';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UsageError } from '#cli/command.ts';
import { runCommand } from '#cli/commands/run.ts';
import { givenParameters } from '#cli/given-parameters.ts';
import { parseArguments } from '#cli/parse-arguments.ts';

const known = {
  prompt: { type: 'text' },
  photo: { type: 'image' },
  angles: { type: 'list', of: 'text' },
  photos: { type: 'list', of: 'image' },
};
const given = (argv: readonly string[], cwd = '/work/dir') => givenParameters(parseArguments(runCommand, argv), known, cwd);

function parameterFile(text: string): { readonly folder: string; readonly argv: readonly string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'callsheet-test-'));
  writeFileSync(join(folder, 'params.json'), text);
  return { folder, argv: ['--params', 'params.json'] };
}

describe('given parameters', () => {
  it('keeps everything after the first = as the value', () => {
    expect(given(['-p', 'prompt=a = b'])).toEqual({ prompt: 'a = b' });
  });

  it('takes an empty value as an empty text', () => {
    expect(given(['-p', 'prompt='])).toEqual({ prompt: '' });
  });

  it('gathers a list item by item, or takes it as JSON in one', () => {
    expect(given(['-p', 'angles=front', '-p', 'angles=side, left'])).toEqual({ angles: ['front', 'side, left'] });
    expect(given(['-p', 'angles=front'])).toEqual({ angles: ['front'] });
    expect(given(['-p', 'angles=["a","b"]'])).toEqual({ angles: '["a","b"]' });
  });

  it('makes paths absolute, also within lists, and leaves uploads alone', () => {
    expect(given(['-p', 'photo=a.png', '-p', 'photos=b.png', '-p', 'photos=/c.png'])).toEqual({
      photo: '/work/dir/a.png',
      photos: ['/work/dir/b.png', '/c.png'],
    });
    expect(given(['-p', 'photos=["x.png"]'])).toEqual({ photos: ['/work/dir/x.png'] });
    expect(given(['-p', 'photo=asset:abc'])).toEqual({ photo: 'asset:abc' });
  });

  it('leaves a parameter that it does not know to the daemon', () => {
    expect(given(['-p', 'sede=1'])).toEqual({ sede: '1' });
  });

  it('refuses a -p without a name, and a second value where one belongs', () => {
    expect(() => given(['-p', 'prompt'])).toThrow(new UsageError('Option -p needs NAME=VALUE, got "prompt".'));
    expect(() => given(['-p', '=x'])).toThrow(UsageError);
    expect(() => given(['-p', 'prompt=a', '-p', 'prompt=b'])).toThrow('Parameter "prompt" was given 2 times; it takes one value.');
  });

  it('prefers -p to the file', () => {
    const { folder, argv } = parameterFile('{"prompt": "file", "seed": 5}');
    expect(given([...argv, '-p', 'prompt=line'], folder)).toEqual({ prompt: 'line', seed: 5 });
  });

  it('carries every 64-bit integer of a file exactly', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }), (seed) => {
        const { folder, argv } = parameterFile(`{"seed": ${seed}}`);
        expect(BigInt(given(argv, folder)['seed'] as string | number)).toBe(seed);
      }),
      { numRuns: 25 },
    );
  });

  it('points to the missing comma in a file', () => {
    const { folder, argv } = parameterFile('{"a": 1\n "b": 2}');
    const problems = [expect.objectContaining({ code: 'JSON_SYNTAX', file: 'params.json', line: 2, column: 2 })];
    expect(() => given(argv, folder)).toThrow(expect.objectContaining({ data: expect.objectContaining({ problems }) }));
  });

  it('refuses a file that is missing, and one that is no object', () => {
    expect(() => given(['--params', 'none.json'])).toThrow(
      new UsageError('Option --params: the file none.json could not be read (ENOENT).'),
    );
    const { folder, argv } = parameterFile('[1]');
    expect(() => given(argv, folder)).toThrow('must hold one JSON object');
  });
});
