/** Reads conversations (README.md) and plays them against anything that takes frames and gives frames. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';

export interface Line {
  readonly number: number;
  readonly kind: 'send' | 'expect';
  readonly text: string;
}

export interface Conversation {
  readonly file: string;
  /** Line number of its first frame. */
  readonly line: number;
  readonly title: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly lines: readonly Line[];
}

/** What a conversation is played against. */
export interface Peer {
  send(frame: string): void;
  /** The next frame or `close N`, waiting for it. */
  next(): Promise<string>;
  /** Resolves once everything that was sent is dealt with, with what came meanwhile. */
  settled(): Promise<readonly string[]>;
}

export function conversationsIn(folder: string): readonly Conversation[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.txt'))
    .flatMap((file) => read(file, readFileSync(join(folder, file), 'utf8')));
}

export function framesSent(conversations: readonly Conversation[]): number {
  return conversations.reduce((sum, { lines }) => sum + lines.filter(({ kind }) => kind === 'send').length, 0);
}

/** Fails at the first line that is not as it stands there. */
export async function play({ file, lines }: Conversation, peer: Peer): Promise<'played'> {
  for (const { kind, text, number } of lines) {
    if (kind === 'send') peer.send(text);
    else if (text === 'nothing') expect(await peer.settled(), `${file}:${String(number)}`).toEqual([]);
    else expect(await peer.next()).toSatisfy((frame: string) => matches(text, frame), `${file}:${String(number)}: expected ${text}`);
  }
  expect(await peer.settled(), `${file}: after the last line`).toEqual([]);
  return 'played';
}

// --- helpers ---

function read(file: string, text: string): readonly Conversation[] {
  const found: Conversation[] = [];
  let usual: Conversation['options'] = {};
  let number = 0;
  for (const block of text.split(/\n\s*\n/)) {
    const rows = block.split('\n');
    const lines: Line[] = [];
    let options = usual;
    let title = '';
    for (const row of rows) {
      number += 1;
      if (row.startsWith('//') && title === '') title = row.slice(3);
      if (row.startsWith('== ')) options = { ...usual, ...(JSON.parse(row.slice(3)) as object) };
      if (row.startsWith('-->')) lines.push({ number, kind: 'send', text: row.slice(4) });
      if (row.startsWith('<--')) lines.push({ number, kind: 'expect', text: row.slice(4) });
    }
    number += 1;
    if (lines.length === 0) usual = options;
    else found.push({ file, line: lines[0]?.number ?? number, title: title === '' ? (lines[0]?.text ?? '') : title, options, lines });
  }
  return found;
}

function matches(expected: string, frame: string): boolean {
  const parts = expected.split('…').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join('.*')}$`).test(frame);
}
