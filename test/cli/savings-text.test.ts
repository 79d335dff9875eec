import { expect, it } from 'vitest';
import { printSavings, savedTime } from '#cli/savings-text.ts';
import { createFakeIo } from './fake-io.ts';

const look = { id: '20', classType: 'PreviewImage', title: 'Look' };

it('tells what is the same in every item of a step once, with the sum of the seconds', () => {
  const io = createFakeIo();
  const saving = { pass: 'previews', step: 'base', nodes: [look], why: 'Nobody looks.' } as const;
  printSavings(
    [
      { ...saving, item: 0, seconds: 2 },
      { ...saving, item: 1, seconds: 3 },
      { ...saving, item: 2 },
      { ...saving, item: 3, nodes: [{ ...look, into: '9' }] },
      { ...saving, pass: 'existing-outputs', nodes: [], why: 'It is there.' },
    ],
    io,
  );
  expect(io.stdout().split('\n')).toEqual([
    '  previews in base, 3 items, about 5.0 s saved: Nobody looks.',
    '    20 PreviewImage "Look"',
    '  previews in base item 3: Nobody looks.',
    '    20 PreviewImage "Look" → 9',
    '  existing-outputs in base: It is there.',
    '',
  ]);
});

it('cuts long lists, and lets no title act on the terminal', () => {
  const io = createFakeIo();
  const nodes = Array.from({ length: 11 }, (_, id) => ({ id: String(id), classType: 'A', title: '\u001b[31m' }));
  printSavings([{ pass: 'dead-nodes', nodes, why: 'Dead.' }], io, '');
  expect(io.stdout()).toContain('  0 A "\\u001b[31m"\n');
  expect(io.stdout()).toContain('  … and 3 more\n');
});

it('says tenths of a second while they count', () => {
  expect([0.04, 9.96, 12.4, 75].map(savedTime)).toEqual(['about 0.0 s', 'about 10.0 s', 'about 12 s', 'about 1 min 15 s']);
});
