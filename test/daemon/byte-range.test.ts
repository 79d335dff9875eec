import { describe, expect, it } from 'vitest';
import { readRange } from '#daemon/byte-range.ts';

describe('a range of a file', () => {
  it.each([
    ['bytes=0-99', { start: 0, end: 99 }],
    ['bytes=100-', { start: 100, end: 999 }],
    ['bytes=990-2000', { start: 990, end: 999 }],
    ['bytes=-10', { start: 990, end: 999 }],
    ['bytes=-5000', { start: 0, end: 999 }],
    ['bytes=999-999', { start: 999, end: 999 }],
  ])('%s of 1000 bytes is its part', (header, range) => {
    expect(readRange(header, 1000)).toEqual(range);
  });

  it.each(['bytes=1000-', 'bytes=5000-6000', 'bytes=-0', 'bytes=-00'])('%s of 1000 bytes lies outside', (header) => {
    expect(readRange(header, 1000)).toBe('none');
  });

  it.each([
    undefined,
    '',
    'bytes=',
    'bytes=-',
    'bytes=9-1',
    'bytes=0-1,5-6',
    'items=0-1',
    'bytes=a-b',
    'bytes=0x1-2',
    'bytes=99999999999999999-',
  ])('%s asks for the whole file', (header) => {
    expect(readRange(header, 1000)).toBeUndefined();
  });

  it('has nothing of an empty file', () => {
    expect([readRange('bytes=0-', 0), readRange('bytes=-1', 0)]).toEqual(['none', 'none']);
  });
});
