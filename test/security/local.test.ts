// Other users of the machine: they cannot read the runtime file, connect to the Unix socket, or collect keys at the port that a daemon had.
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer, connect as knockAt } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { parseConfig } from '#daemon/config.ts';
import { startDaemon } from '#daemon/daemon.ts';
import type { Daemon } from '#daemon/daemon.ts';
import { DOOR_LIMITS } from '#daemon/limits.ts';
import { socketPath } from '#daemon/local-socket.ts';
import { readRuntimeFile } from '#daemon/runtime-file.ts';
import { connect } from '#protocol/client.ts';
import { freshPlace, runCli } from '../e2e/run-cli.ts';

let dir = '';
let daemon: Daemon;

async function start(extra: Readonly<Record<string, string>> = {}): Promise<Daemon> {
  const env = {
    HOME: dir,
    CALLSHEET_DATA: join(dir, 'data'),
    CALLSHEET_RUNTIME_DIR: join(dir, 'rt'),
    CALLSHEET_LOG_LEVEL: 'silent',
    ...extra,
  };
  daemon = await startDaemon(parseConfig({ backends: ['sandbox'] }, env, dir));
  return daemon;
}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'cs-'));
  chmodSync(dir, 0o755);
});
afterEach(async () => {
  await daemon?.close();
  rmSync(dir, { recursive: true, force: true });
});

/** A command as somebody else; only root can become that. */
const asOther = (...command: readonly string[]) =>
  spawnSync('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', ...command], { encoding: 'utf8' });
const canSwitch = process.getuid?.() === 0 && asOther('true').status === 0;
if (!canSwitch) console.warn('SKIPPED: nothing is tried as another user, because only root with setpriv can become one.');

/** Asks over the socket with a key, and resolves with the status. */
function statusOver(socketPathOf: string, host: string, key: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { socketPath: socketPathOf, path: '/healthz', headers: { Host: host, Authorization: `Bearer ${key}` } },
      (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      },
    );
    asked.on('error', reject);
    asked.end();
  });
}

describe('[S8] the Unix socket', () => {
  it('lies in the private directory, for its owner alone, whatever the umask, and goes with the daemon', async () => {
    const before = process.umask(0);
    try {
      const { runtimeFile } = await start();
      const info = readRuntimeFile(runtimeFile);
      const path = info?.socket ?? '';
      expect(path).toBe(runtimeFile.replace(/\.json$/, '.sock'));
      expect([statSync(path).isSocket(), statSync(path).mode & 0o777, statSync(join(path, '..')).mode & 0o777]).toEqual([
        true,
        0o600,
        0o700,
      ]);
      await daemon.close();
      expect([existsSync(path), existsSync(runtimeFile)]).toEqual([false, false]);
    } finally {
      process.umask(before);
    }
  });

  it('serves what the port serves, behind the same gates', async () => {
    const { runtimeFile, port, endpoint } = await start();
    const path = readRuntimeFile(runtimeFile)?.socket ?? '';
    expect(await statusOver(path, `127.0.0.1:${port}`, endpoint.key)).toBe(200);
    expect(await statusOver(path, `evil.test:${port}`, endpoint.key)).toBe(403);
    expect(await statusOver(path, `127.0.0.1:${port}`, 'A'.repeat(43))).toBe(401);
  });

  it('is what our client takes: it comes in though a stranger answers at the port', async () => {
    const { endpoint } = await start();
    const stranger = createServer((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n'));
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void stranger.close());
    const { port } = stranger.address() as AddressInfo;
    const elsewhere = endpoint.url.replace(/:\d+/, `:${port}`);
    // The address is part of the proof, so that only the gate of Host is in the way: it hears who is really meant.
    await expect(connect({ ...endpoint, url: elsewhere })).rejects.toMatchObject({ code: 'DAEMON_UNTRUSTED' });
    const client = await connect(endpoint);
    expect(await client.call('ping')).toEqual({ ok: true });
    await client.close();
  });

  it('is left out for the port where it is gone', async () => {
    const { endpoint } = await start();
    rmSync(endpoint.socket ?? '');
    const client = await connect(endpoint);
    expect(await client.call('ping')).toEqual({ ok: true });
    await client.close();
  });

  it('lets its owner in though strangers have taken every place that the port has for them', async () => {
    const { endpoint, port } = await start();
    const strangers: Socket[] = [];
    onTestFinished(() => strangers.forEach((socket) => socket.destroy()));
    const head = `GET /rpc HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`;
    const upgrade = `${head}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`;
    /** The status of an upgrade without a key; whoever asks stays. */
    const knock = (at: { readonly port: number } | { readonly path: string }): Promise<string> =>
      new Promise((resolve, reject) => {
        const socket = knockAt(at, () => socket.write(upgrade));
        strangers.push(socket);
        socket.once('data', (chunk) => resolve(chunk.toString('latin1').slice(9, 12)));
        socket.on('error', reject);
      });
    const flood = Array.from({ length: DOOR_LIMITS.unauthenticated + 1 }, () => ({ port }));
    expect((await Promise.all(flood.map(knock))).filter((status) => status === '503')).toHaveLength(1);
    expect([await knock({ path: endpoint.socket ?? '' }), await knock({ port })]).toEqual(['101', '503']);
    const client = await connect(endpoint);
    expect(await client.call('ping')).toEqual({ ok: true });
    await client.close();
  });

  it('takes the place of one that a killed daemon left, and of nothing else', async () => {
    mkdirSync(join(dir, 'rt'), { mode: 0o700 });
    const { runtimeFile } = await start();
    const path = readRuntimeFile(runtimeFile)?.socket ?? '';
    await daemon.close();
    const dies = "require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))";
    expect([spawnSync(process.execPath, ['-e', dies, path]).signal, existsSync(path)]).toEqual(['SIGKILL', true]);
    await start();
    expect(readRuntimeFile(runtimeFile)?.socket).toBe(path);
    await daemon.close();
    writeFileSync(path, 'mine');
    await start();
    expect([readRuntimeFile(runtimeFile)?.socket, readFileSync(path, 'utf8')]).toEqual([undefined, 'mine']);
  });

  it.each([
    ['/run/user/1/callsheet/runtime.json', 'linux', '/run/user/1/callsheet/runtime.sock'],
    [`/${'x'.repeat(96)}/a.json`, 'linux', undefined],
    ['C:\\x\\runtime.json', 'win32', undefined],
  ] as const)('of %s on %s is %s', (file, platform, expected) => {
    expect(socketPath(file, platform)).toBe(expected);
  });

  it.skipIf(!canSwitch)('lets no other user connect, nor read the runtime file', async () => {
    const { runtimeFile, endpoint } = await start();
    const dial = ['perl', '-MIO::Socket::UNIX', '-e', 'IO::Socket::UNIX->new(Peer => shift) or die $!'];
    expect(spawnSync(dial[0] ?? '', [...dial.slice(1), endpoint.socket ?? '']).status).toBe(0);
    const path = endpoint.socket ?? '';
    expect(asOther(...dial, path).stderr).toContain('Permission denied');
    expect(asOther('cat', runtimeFile).stderr).toContain('Permission denied');
    expect(asOther('ls', join(runtimeFile, '..')).stderr).toContain('Permission denied');
    // Not only the directory is in the way.
    chmodSync(join(runtimeFile, '..'), 0o755);
    expect(asOther(...dial, path).stderr).toContain('Permission denied');
    expect(asOther('cat', runtimeFile).stderr).toContain('Permission denied');
    chmodSync(join(runtimeFile, '..'), 0o700);
  });
});

describe('[S6] the place of the runtime file', () => {
  it.skipIf(!canSwitch)('that belongs to somebody else is refused', async () => {
    mkdirSync(join(dir, 'rt'), { mode: 0o700 });
    execFileSync('chown', ['65534', join(dir, 'rt')]);
    await expect(start()).rejects.toMatchObject({ code: 'RUNTIME_DIR_UNSAFE' });
  });

  it('that is planted beforehand is refused before anything is written there', async () => {
    mkdirSync(join(dir, 'theirs'), { mode: 0o777 });
    symlinkSync(join(dir, 'theirs'), join(dir, 'rt'));
    await expect(start()).rejects.toMatchObject({ code: 'RUNTIME_DIR_UNSAFE' });
    expect(existsSync(join(dir, 'theirs', 'runtime.json'))).toBe(false);
  });
});

describe('[S7] a stranger at the port of a daemon that was killed', () => {
  it('gets no key from the command line, whatever it is asked to do', async () => {
    const { env } = freshPlace();
    const heard: string[] = [];
    const stranger = createServer((socket) => {
      socket.on('data', (chunk) => heard.push(chunk.toString('latin1')));
      socket.on('error', () => undefined);
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    });
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void stranger.close());
    const { port } = stranger.address() as AddressInfo;
    const key = 'SECRETKEY'.repeat(5).slice(0, 43);
    const runtime = join(env['CALLSHEET_RUNTIME_DIR'] ?? '', 'runtime.json');
    mkdirSync(join(runtime, '..'), { recursive: true, mode: 0o700 });
    const { runtimeFilePath } = await import('#daemon/runtime-file.ts');
    const file = runtimeFilePath(env['CALLSHEET_DATA'] ?? '', env);
    const info = {
      protocol: 1,
      version: '0',
      pid: process.pid,
      instance: 'x',
      url: `ws://127.0.0.1:${port}/rpc`,
      port,
      key,
      dataDir: env['CALLSHEET_DATA'],
      startedAt: 0,
    };
    writeFileSync(file, JSON.stringify(info), { mode: 0o600 });
    for (const argv of [['call', 'ping'], ['open', '--print'], ['runs', 'list'], ['queue']]) {
      const { code, stderr } = await runCli(argv, env);
      expect([argv, code]).toEqual([argv, 1]);
      expect(stderr).toContain('DAEMON_UNTRUSTED');
    }
    expect(heard.join('')).toContain('Upgrade: websocket');
    expect(heard.join('')).not.toContain('SECRETKEY');
  }, 120_000);
});
