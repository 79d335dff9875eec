/** A client for tests: one socket that remembers everything, and calls that give status and JSON. */
import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import type { TestGraph } from './graphs.ts';

export interface Message {
  readonly type: string;
  readonly data: Record<string, unknown>;
}

export interface TestClient {
  readonly messages: Message[];
  readonly binaries: Buffer[];
  readonly socket: WebSocket;
  /** Resolves with the first message, seen already or still to come, that fits. */
  until(fits: (message: Message) => boolean): Promise<Message>;
  /** `executing` with node null for this prompt: history is written by then. */
  ended(promptId: string): Promise<Message>;
}

export async function connect(url: string, clientId: string, headers: Record<string, string> = {}): Promise<TestClient> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws?clientId=${clientId}`, { headers });
  const messages: Message[] = [];
  const binaries: Buffer[] = [];
  const waiting = new Set<() => void>();
  socket.on('message', (payload: Buffer, isBinary) => {
    if (isBinary) binaries.push(payload);
    else messages.push(JSON.parse(payload.toString()) as Message);
    for (const look of waiting) look();
  });
  onTestFinished(() => socket.terminate());
  await once(socket, 'open');
  const until: TestClient['until'] = (fits) =>
    new Promise((resolve) => {
      const look = (): void => {
        const found = messages.find(fits);
        if (found === undefined) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
    });
  const ended: TestClient['ended'] = (promptId) =>
    until(({ type, data }) => type === 'executing' && data['node'] === null && data['prompt_id'] === promptId);
  return { messages, binaries, socket, until, ended };
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly json: unknown;
}

export async function call(url: string, path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(`${url}${path}`, init);
  const text = await response.text();
  return { status: response.status, text, json: text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : undefined };
}

export async function post(url: string, path: string, body: unknown): Promise<Answer> {
  return await call(url, path, { method: 'POST', body: JSON.stringify(body) });
}

/** Posts a prompt that must be accepted and gives its id. */
export async function submit(url: string, prompt: TestGraph, extra: Record<string, unknown> = {}): Promise<string> {
  const answer = await post(url, '/prompt', { prompt, ...extra });
  const id = at(answer.json, 'prompt_id');
  if (answer.status !== 200 || typeof id !== 'string') throw new Error(`POST /prompt: ${answer.status} ${answer.text}`);
  return id;
}

/** The value at a path of keys, or undefined. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let found: unknown = value;
  for (const key of path) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = Reflect.get(found, key);
  }
  return found;
}

/** The value as a string; throws when it is none. */
export function textOf(value: unknown): string {
  if (typeof value !== 'string') throw new Error(`expected a string, got ${JSON.stringify(value)}`);
  return value;
}
