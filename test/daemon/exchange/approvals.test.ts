import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openApprovals } from '#daemon/exchange/approvals.ts';

function freshFile(content?: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'callsheet-approvals-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'approvals.json');
  if (content !== undefined) writeFileSync(file, content);
  return file;
}

function open(file: string) {
  const warnings: unknown[] = [];
  return { approvals: openApprovals(file, { warn: (...args: unknown[]) => void warnings.push(args) }), warnings };
}

const approval = (letter: string) => ({ id: letter, version: '1.0.0', hash: letter.repeat(64), at: 1 });

describe('approvals', () => {
  it('are kept, also when many are given at once', async () => {
    const file = freshFile();
    const { approvals } = open(file);
    await Promise.all(['a', 'b', 'c', 'a'].map((letter) => approvals.add(approval(letter))));
    const again = open(file);
    expect(['a', 'b', 'c', 'd'].map((letter) => again.approvals.has(letter.repeat(64)))).toEqual([true, true, true, false]);
    expect(JSON.parse(readFileSync(file, 'utf8')).approved).toHaveLength(3);
    expect(again.warnings).toEqual([]);
  });

  it.each(['', 'null', '[]', '{"format": 2, "approved": []}', '{"format": 1, "approved": {}}', '\0\0\0'])(
    'are none in a damaged file (%j), which is moved aside and told',
    (content) => {
      const file = freshFile(content);
      const { approvals, warnings } = open(file);
      expect(approvals.has('a'.repeat(64))).toBe(false);
      expect([existsSync(file), existsSync(`${file}.damaged`), warnings.length]).toEqual([false, true, 1]);
    },
  );

  it('are read entry by entry: one that is none approves nothing', () => {
    const file = freshFile(
      JSON.stringify({ format: 1, approved: [null, 'x', { hash: 'b'.repeat(64) }, { ...approval('c'), hash: 'C' }, approval('a')] }),
    );
    const { approvals } = open(file);
    expect(['a', 'b', 'c'].map((letter) => approvals.has(letter.repeat(64)))).toEqual([true, false, false]);
  });
});
