import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ERRORS, RPC } from '#protocol/errors.ts';

const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
const rows = page.split('\n').flatMap((line) => {
  const match = /^\| `([A-Z_]+)` \| (-\d+) \| (yes|no) \| (.+) \| (.+) \|$/.exec(line);
  return match === null ? [] : [{ code: match[1], rpc: Number(match[2]), retryable: match[3] === 'yes', meaning: match[4] }];
});

describe('docs/errors.md', () => {
  it('lists exactly the codes of the registry, with their numbers and meanings', () => {
    const registry = Object.entries(ERRORS).map(([code, { rpc, retryable, meaning }]) => ({ code, rpc, retryable, meaning }));
    expect(rows.toSorted((a, b) => String(a.code).localeCompare(String(b.code)))).toEqual(
      registry.toSorted((a, b) => a.code.localeCompare(b.code)),
    );
  });

  it('explains every number', () => {
    for (const number of Object.values(RPC)) expect(page).toContain(`\`${number}\``);
  });
});
