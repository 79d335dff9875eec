/** Plays every conversation of this folder against the dispatcher. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createDispatcher } from '#protocol/dispatch.ts';
import { CallsheetError } from '#protocol/errors.ts';
import { namedParams } from '#protocol/rpc.ts';

interface Exchange {
  readonly line: number;
  readonly sent: string;
  readonly expected: string;
}

function handle(method: string, given: unknown): unknown {
  const params = namedParams(given);
  if (method === 'test/add') return Number(params['a']) + Number(params['b']);
  if (method === 'test/echo') return params;
  if (method === 'test/fail') throw new CallsheetError('RUN_NOT_FOUND', 'No run has this id.', { hint: 'List runs.' });
  if (method === 'test/bug') throw new TypeError('kaput');
  throw new CallsheetError('METHOD_NOT_FOUND', 'No such method.');
}

function exchangesOf(text: string): Exchange[] {
  const lines = text.split('\n');
  return lines.flatMap((line, index) => {
    if (!line.startsWith('-->')) return [];
    const answer = lines[index + 1] ?? '';
    return [{ line: index + 1, sent: line.slice(4), expected: answer.slice(4) }];
  });
}

function matches(expected: string, answer: string): boolean {
  const parts = expected.split('…').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join('.*')}$`).test(answer);
}

const folder = import.meta.dirname;
for (const file of readdirSync(folder).filter((name) => name.endsWith('.txt'))) {
  describe(`conversation ${file}`, () => {
    it.each(exchangesOf(readFileSync(join(folder, file), 'utf8')))('line $line: $sent', async ({ sent, expected }) => {
      const dispatcher = createDispatcher({ handle });
      const answer = await dispatcher.receive(sent, undefined);
      expect(answer ?? 'nothing').toSatisfy((text: string) => matches(expected, text), `expected ${expected}`);
    });
  });
}
