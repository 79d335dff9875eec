/** What goes over the pipes, byte for byte: the SDK's client passes over what is no message, a test must not. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it, onTestFinished } from 'vitest';
import { CACHE, freshPlace, ROOT } from '../e2e/run-cli.ts';
import { PHOTO } from './harness.ts';

/** A daemon starts and a run ends meanwhile. */
const SLOW = { timeout: 60_000 };

interface Message {
  readonly jsonrpc?: string;
  readonly id?: number;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: Readonly<Record<string, unknown>>;
}

it(
  'stdout carries messages of the protocol alone, progress under the token of the caller, whatever comes in',
  { timeout: 180_000 },
  async () => {
    const { env } = freshPlace();
    const argv = ['mcp', '--backend', 'sandbox', '--root', join(PHOTO, '..')];
    const child = spawn(join(ROOT, 'bin', 'callsheet'), argv, {
      env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: CACHE, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const lines: string[] = [];
    createInterface(child.stdout).on('line', (line) => lines.push(line));
    const said: string[] = [];
    child.stderr.on('data', (chunk: Buffer) => said.push(chunk.toString()));
    const ended = new Promise((resolve) => {
      child.on('close', resolve);
    });
    const send = (message: object) => child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
    const answered = (id: number) => lines.some((line) => line.includes(`"id":${id}`));

    const clientInfo = { name: 'raw', version: '1' };
    send({ id: 1, method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo } });
    send({ method: 'notifications/initialized' });
    child.stdin.write('no JSON at all\n{"jsonrpc":"2.0","half":\n[]\n');
    const given = { name: 'run_pixel-postcard', arguments: { photo: PHOTO }, _meta: { progressToken: 'mine-7' } };
    send({ id: 2, method: 'tools/call', params: given });
    await expect.poll(() => answered(2), SLOW).toBe(true);
    send({ id: 3, method: 'no/such' });
    await expect.poll(() => answered(3), SLOW).toBe(true);
    child.stdin.end();
    expect(await ended).toBe(0);
    expect(
      said
        .join('')
        .trim()
        .split('\n')
        .every((line) => line.startsWith('callsheet mcp: ')),
    ).toBe(true);

    const messages = lines.map((line) => JSON.parse(line) as Message);
    expect(messages.every(({ jsonrpc }) => jsonrpc === '2.0')).toBe(true);
    expect(messages.find(({ id }) => id === 1)?.result).toMatchObject({ protocolVersion: '2025-06-18', serverInfo: { name: 'callsheet' } });
    expect(messages.find(({ id }) => id === 2)?.result).toMatchObject({ structuredContent: { run: { status: 'succeeded' } } });
    const progress = messages.filter(({ method }) => method === 'notifications/progress');
    expect(progress.length).toBeGreaterThan(1);
    expect(new Set(progress.map(({ params }) => params?.['progressToken']))).toEqual(new Set(['mine-7']));
  },
);
