// Where a bar is drawn, and where lines are printed instead.
import { expect, it } from 'vitest';
import { isLive } from '#cli/io.ts';

const terminal = (size: { readonly rows?: number }) => ({ isTTY: true, columns: 80, write: () => undefined, ...size });

it('a bar is drawn on a terminal that can move its cursor and has a height', () => {
  expect(isLive(terminal({ rows: 24 }), {})).toBe(true);
  expect(isLive(terminal({}), {})).toBe(true);
  expect(isLive(terminal({ rows: 0 }), {})).toBe(false);
  expect(isLive(terminal({ rows: 24 }), { TERM: 'dumb' })).toBe(false);
  expect(isLive({ write: () => undefined }, {})).toBe(false);
});
