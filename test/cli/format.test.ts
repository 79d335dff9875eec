import { describe, expect, it } from 'vitest';
import { eventLine } from '#cli/event-line.ts';
import { formatBytes, formatDuration, formatPercent, formatTable, safeText } from '#cli/format.ts';

describe('text for people', () => {
  it.each([
    [0.4, '0 s'],
    [59.4, '59 s'],
    [65, '1 min 05 s'],
    [3599.6, '1 h 00 min'],
    [7380, '2 h 03 min'],
    [-3, '0 s'],
  ])('writes %d seconds as %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1500, '1.5 kB'],
    [123_456, '123 kB'],
    [5e9, '5.0 GB'],
  ])('writes %d bytes as %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it('does not say 100 % before the end', () => {
    expect(formatPercent(0.999)).toBe('99 %');
    expect(formatPercent(1)).toBe('100 %');
  });

  it('aligns columns and leaves no space at the end of a line', () => {
    expect(
      formatTable(
        ['ID', 'NAME'],
        [
          ['long-id', 'x'],
          ['b', ''],
        ],
      ),
    ).toBe('ID       NAME\nlong-id  x\nb\n');
  });

  it('makes control characters harmless', () => {
    expect(safeText('a\u001b[31mb\u202ec\nd')).toBe('a\\u001b[31mb\\u202ec\\u000ad');
  });
});

describe('lines of events', () => {
  it('name step, item, attempt, backend and reason', () => {
    const event = {
      type: 'step.status',
      step: 'face',
      item: 2,
      attempt: 3,
      status: 'failed',
      backend: 'farm',
      reason: 'out of memory',
    } as const;
    expect(eventLine(event)).toBe('step face item 2 failed attempt 3 on farm: out of memory');
  });

  it('are silent about a plan of one item', () => {
    expect(eventLine({ type: 'step.planned', step: 'base', items: 1 })).toBeUndefined();
    expect(eventLine({ type: 'step.planned', step: 'base', items: 3 })).toBe('step base has 3 items');
  });
});
