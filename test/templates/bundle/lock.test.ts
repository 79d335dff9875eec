import { describe, expect, it } from 'vitest';
import { checkLock } from '#templates/bundle/lock.ts';

const file = (name: string, sha256: string) => ({ name, bytes: 1, sha256 });
const lock = (files: object, more: object = {}) => JSON.stringify({ format: 1, files, ...more });
const FILES = [file('template.json', 'aa'), file('a.json', 'bb'), file('lock.json', 'whatever')];

describe('checkLock', () => {
  it('is content when every file is listed with its hash', () => {
    expect(checkLock(lock({ 'template.json': { sha256: 'aa' }, 'a.json': { sha256: 'bb' } }), FILES, 'x.callsheet')).toEqual([]);
  });

  it.each([
    ['changed', { 'template.json': { sha256: 'aa' }, 'a.json': { sha256: 'cc' } }, /"a\.json" is not the file/],
    ['added', { 'template.json': { sha256: 'aa' } }, /"a\.json" is in the bundle but not/],
    ['gone', { 'template.json': { sha256: 'aa' }, 'a.json': { sha256: 'bb' }, 'b.json': { sha256: 'dd' } }, /lists "b\.json"/],
    [
      'called __proto__',
      JSON.parse('{"template.json": {"sha256": "aa"}, "a.json": {"sha256": "bb"}, "__proto__": {"sha256": "dd"}}'),
      /__proto__/,
    ],
  ])('tells of a file that was %s', (_what, files, message) => {
    expect(checkLock(lock(files), FILES, 'x.callsheet')).toMatchObject([
      { code: 'BUNDLE_LOCK_MISMATCH', severity: 'error', message: expect.stringMatching(message) },
    ]);
  });

  it.each(['', 'null', '[]', '{}', '{"format": 2, "files": {}}', '{"format": 1, "files": null}', '{"format": 1, "files": {"a": 1}}'])(
    'refuses %j as a lock',
    (text) => {
      expect(checkLock(text, FILES, 'x.callsheet')).toMatchObject([{ code: 'BUNDLE_LOCK_MISMATCH' }]);
    },
  );

  it('warns when there is none', () => {
    expect(checkLock(undefined, FILES, 'x.callsheet')).toMatchObject([{ code: 'BUNDLE_LOCK_MISSING', severity: 'warning' }]);
  });
});
