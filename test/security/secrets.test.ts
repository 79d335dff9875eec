// One run of everything with secrets that can be recognised: afterwards they are looked for wherever they must not be.
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runtimeFilePath } from '#daemon/runtime-file.ts';
import { connect } from '#protocol/client.ts';
import { countCases } from '../count-cases.ts';
import { raw } from '../daemon/door-harness.ts';
import { freshPlace, runCli, startCli } from '../e2e/run-cli.ts';
import { startFakeComfyUI } from '../fakes/fake-comfyui.ts';

const marker = (name: string): string => `marker-${name}-${randomBytes(12).toString('hex')}`;

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Where a secret was found; the secret itself is never printed. */
function hits(secrets: Readonly<Record<string, string>>, places: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(places).flatMap(([place, text]) =>
    Object.entries(secrets).flatMap(([name, secret]) => (text.includes(secret) ? [`${name} in ${place}`] : [])),
  );
}

describe('[S5] [S30] keys, codes, tickets and headers', () => {
  it('lie in the runtime file and nowhere else: no log, database, output, argument, environment, answer, note or bundle has them', async () => {
    const fake = await startFakeComfyUI();
    onTestFinished(() => fake.close());
    const { folder, env: place } = freshPlace();
    const secrets: Record<string, string> = { 'header of a backend': marker('header'), 'password in an address': marker('password') };
    const env: Record<string, string> = {
      ...place,
      CALLSHEET_LOG_LEVEL: 'trace',
      CALLSHEET_HEADERS_FARM: JSON.stringify({ Authorization: `Bearer ${secrets['header of a backend']}` }),
    };
    const answers: string[] = [];
    const daemon = startCli(['daemon', '--backend', `farm:comfyui=${fake.url}`, '--backend', 'sandbox', '--json'], env, { cwd: folder });
    await daemon.line((text) => text.includes('"ready"'));
    const file = runtimeFilePath(env['CALLSHEET_DATA'] ?? '', env);
    const { key, port, pid, url } = JSON.parse(readFileSync(file, 'utf8')) as { key: string; port: number; pid: number; url: string };
    secrets['key'] = key;
    const host = `127.0.0.1:${port}`;
    const ask = async (text: string): Promise<string> => {
      const answer = await raw(port, text.replaceAll('HOST', host));
      // The answer that gives a browser its secrets, once.
      answers.push(answer.replace(/^Set-Cookie:[^]*$/im, ''));
      return answer;
    };

    // A browser comes in, gets a ticket, and its secrets are sent to every place that might write them down.
    const client = await connect({ url, key });
    const address = (await client.call('session/open', {})).url;
    const code = address.split('#')[1] ?? '';
    secrets['code'] = code;
    const post = (path: string, body: string, more = ''): Promise<string> =>
      ask(
        `POST ${path} HTTP/1.1\r\nHost: HOST\r\nOrigin: http://HOST\r\nContent-Type: application/json\r\n${more}Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
      );
    const entered = await post('/session', JSON.stringify({ code }));
    const cookie = /set-cookie: ([^;]+)/i.exec(entered)?.[1] ?? '';
    const page = /"page":"([^"]+)"/.exec(entered)?.[1] ?? '';
    secrets['page'] = page;
    secrets['cookie'] = cookie.split('=')[1] ?? '';
    const ticket =
      /"ticket":"([^"]+)"/.exec(
        await raw(
          port,
          `POST /session/ticket HTTP/1.1\r\nHost: ${host}\r\nOrigin: http://${host}\r\nCookie: ${cookie}\r\nCallsheet-Page: ${page}\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}`,
        ),
      )?.[1] ?? '';
    secrets['ticket'] = ticket;
    expect(Object.values(secrets).every((secret) => secret.length > 20)).toBe(true);
    for (const secret of Object.values(secrets)) {
      await ask(`GET /?token=${secret} HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n`);
      await ask(
        `GET /nowhere/${secret} HTTP/1.1\r\nHost: HOST\r\nAuthorization: Bearer ${key}\r\nReferer: http://HOST/#${secret}\r\nConnection: close\r\n\r\n`,
      );
      await ask(`GET /healthz HTTP/1.1\r\nHost: ${secret}\r\nOrigin: http://${secret}\r\nConnection: close\r\n\r\n`);
      await ask(
        `GET /healthz HTTP/1.1\r\nHost: HOST\r\nAuthorization: Basic ${secret}\r\nUser-Agent: ${secret}\r\nConnection: close\r\n\r\n`,
      );
      await ask(`${secret}\r\n\r\n`);
      await post('/session', JSON.stringify({ code: secret }));
      const failed = await client.call('template/get', { id: secret.slice(0, 60) }).catch((error: { code?: string }) => error.code);
      expect(failed).toBe('TEMPLATE_NOT_FOUND');
    }

    // Work is done, and everything that can be handed out is.
    const parameters = { photo: `asset:${await upload(url, key)}` };
    const { runId } = await client.call('run/start', { template: 'pixel-postcard', parameters, backend: 'sandbox', embed: true });
    await expect.poll(async () => (await client.call('run/get', { runId })).run.status).toBe('succeeded');
    const told = [
      await client.call('daemon/status'),
      await client.call('backend/list'),
      await client.call('backend/get', { id: 'farm' }),
      await client.call('run/get', { runId }),
      await client.call('rpc.discover'),
      await client.call('artifact/list', { runId }),
    ];
    answers.push(...told.map((value) => JSON.stringify(value)));
    const bundle = await client.call('run/export', { runId, as: 'bundle' });
    const bytes = await fetch(`http://${host}/assets/${bundle.assetId}`, { headers: { Authorization: `Bearer ${key}` } });
    answers.push(Buffer.from(await bytes.arrayBuffer()).toString('latin1'));
    const doctor = await runCli(['doctor', '--json'], env, { cwd: folder });
    const wrong = await runCli(['daemon', '--backend', `comfyui=http://user:${secrets['password in an address']}@127.0.0.1:1`], {
      ...env,
      CALLSHEET_DATA: join(folder, 'other'),
    });
    const cmdline = readFileSync(`/proc/${pid}/cmdline`, 'latin1');
    const environ = readFileSync(`/proc/${pid}/environ`, 'latin1');
    await client.close();
    daemon.kill('SIGTERM');
    const ended = await daemon.ended;

    const written = Object.fromEntries(filesBelow(folder).map((path) => [path.replace(folder, ''), readFileSync(path, 'latin1')]));
    expect(
      Object.keys(written).some((name) => name.endsWith('callsheet.log')) &&
        Object.keys(written).some((name) => name.endsWith('callsheet.db')),
    ).toBe(true);
    // The person put the header into the environment: it is no secret from itself there.
    const { 'header of a backend': _header, ...ours } = secrets;
    const found = [
      ...hits(secrets, {
        ...written,
        output: ended.stdout + ended.stderr,
        'output of doctor': doctor.stdout + doctor.stderr,
        'output of a refusal': wrong.stdout + wrong.stderr,
        arguments: cmdline,
        answers: answers.join('\n'),
      }),
      ...hits(ours, { environment: environ }),
    ];
    countCases('secrets', { secrets: Object.keys(secrets).length, places: Object.keys(written).length + 6, hits: found.length });
    expect(found).toEqual([]);
    expect(existsSync(file)).toBe(false);
    // It was sent where it belongs: else nothing would have been tried.
    expect(fake.requests.some(({ headers }) => headers['authorization'] === `Bearer ${secrets['header of a backend']}`)).toBe(true);
  }, 120_000);
});

async function upload(url: string, key: string): Promise<string> {
  const bytes = readFileSync(join(process.cwd(), 'templates/image/pixel-postcard/example.png'));
  const answer = await fetch(`${url.replace('ws:', 'http:').replace('/rpc', '')}/uploads`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/octet-stream' },
    body: new Uint8Array(bytes),
  });
  return ((await answer.json()) as { readonly assetId: string }).assetId;
}

describe('[S29] text of others in the log', () => {
  it('is one record on one line, whatever stands in it, and nothing in it acts on a terminal', async () => {
    const { folder, env: place } = freshPlace();
    const evil = 'x\r\n{"level":60,"msg":"forged"}\n\u001b[31m\u009b2J\u202e\u2028\u0007';
    const bad = join(folder, 'templates', 'evil\u001b[31m\n{"level":60,"msg":"forged"}');
    mkdirSync(bad, { recursive: true });
    writeFileSync(join(bad, 'template.json'), JSON.stringify({ format: 1, id: evil, title: evil, [evil]: evil }));
    const env: Record<string, string> = { ...place, CALLSHEET_LOG_LEVEL: 'trace' };
    const daemon = startCli(['daemon', '--backend', 'sandbox', '--templates', join(folder, 'templates'), '--json'], env, { cwd: folder });
    await daemon.line((text) => text.includes('"ready"'));
    const { key, port, url } = JSON.parse(readFileSync(runtimeFilePath(env['CALLSHEET_DATA'] ?? '', env), 'utf8')) as {
      key: string;
      port: number;
      url: string;
    };
    const client = await connect({ url, key, name: evil.slice(0, 90) });
    await client.call('template/get', { id: evil.slice(0, 60) }).catch(() => undefined);
    await client.call('template/check', { path: bad }).catch(() => undefined);
    await client
      .call('run/start', { template: 'pixel-postcard', parameters: { [evil]: evil, photo: evil }, requestKey: evil })
      .catch(() => undefined);
    await raw(
      port,
      `GET /${encodeURIComponent(evil)} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUser-Agent: \u001b[31m\r\nConnection: close\r\n\r\n`,
    );
    await client.close();
    daemon.kill('SIGTERM');
    const { stderr } = await daemon.ended;
    const lines = readFileSync(join(env['CALLSHEET_DATA'] ?? '', 'log', 'callsheet.log'), 'utf8')
      .split('\n')
      .slice(0, -1);
    expect(lines.length).toBeGreaterThan(1);
    const records = lines.map((line) => JSON.parse(line) as { readonly level: number; readonly msg: string });
    expect(records.filter(({ msg }) => msg === 'forged')).toEqual([]);
    const isActive = (char: string): boolean => /\p{Cc}|[\u202a-\u202e\u2028\u2029\u2066-\u2069]/u.test(char);
    expect(Array.from(lines.join('')).filter(isActive)).toEqual([]);
    expect(Array.from(stderr).filter((char) => isActive(char) && char !== '\n')).toEqual([]);
  }, 60_000);
});
