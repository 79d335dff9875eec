import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { freshPlace, jsonLines, runCli, startCli } from './run-cli.ts';

const ADDRESS = /http:\/\/127\.0\.0\.1:\d+\/open#([\w-]{43})/;

async function withDaemon() {
  const { folder, env } = freshPlace();
  const daemon = startCli(['daemon', '--backend', 'sandbox', '--json'], env);
  await daemon.line((text) => text.includes('"ready"'));
  return {
    folder,
    env,
    async [Symbol.asyncDispose]() {
      daemon.kill('SIGTERM');
      await daemon.ended;
    },
  };
}

/** A browser that writes down what it was given, and ends with a code. */
function fakeBrowser(folder: string, code = 0): { readonly command: string; readonly asked: () => string } {
  const command = join(folder, 'browser');
  const log = join(folder, 'asked');
  writeFileSync(command, `#!/bin/sh\nprintf '%s\\n' "$@" > '${log}'\nexit ${code}\n`);
  chmodSync(command, 0o755);
  return { command, asked: () => readFileSync(log, 'utf8').trim() };
}

describe('callsheet open', () => {
  it('sends the browser through a private file, so that no argument of a process has the code', async () => {
    const place = await withDaemon();
    const browser = fakeBrowser(place.folder);
    let file: string;
    {
      await using _daemon = place;
      const opened = await runCli(['open'], { ...place.env, BROWSER: browser.command });
      expect(opened).toEqual({
        code: 0,
        stdout: 'The dashboard opens in the browser. If nothing shows: callsheet open --print\n',
        stderr: '',
      });
      expect(browser.asked()).toMatch(/^file:\/\/\/.*\.open\.html$/);
      file = fileURLToPath(browser.asked());
      expect(readFileSync(file, 'utf8')).toMatch(ADDRESS);
      expect([statSync(file).mode & 0o777, statSync(join(file, '..')).mode & 0o777]).toEqual([0o600, 0o700]);
      const json = await runCli(['open', '--json'], { ...place.env, BROWSER: `${browser.command} --new %s` });
      expect(jsonLines(json.stdout)).toEqual([{ type: 'open', opened: true }]);
      expect(browser.asked()).toMatch(/^--new\nfile:/);
    }
    expect(existsSync(file)).toBe(false);
  });

  it('prints the address where there is no screen, where the browser fails, and when it is told to', async () => {
    await using place = await withDaemon();
    const nowhere = await runCli(['open'], place.env);
    expect(nowhere.stdout).toMatch(/^No browser could be started\. Open this address within 60 seconds; it is good once:\nhttp:/);
    expect(nowhere.stdout).toMatch(ADDRESS);
    const failing = await runCli(['open'], { ...place.env, BROWSER: fakeBrowser(place.folder, 1).command });
    expect(failing.stdout).toMatch(ADDRESS);
    const missing = await runCli(['open', '--json'], { ...place.env, BROWSER: join(place.folder, 'none') });
    expect(jsonLines(missing.stdout)).toEqual([{ type: 'open', opened: false, url: expect.stringMatching(ADDRESS) }]);
    const printed = await runCli(['open', '--print'], place.env);
    expect(printed).toMatchObject({ code: 0, stderr: '' });
    expect(printed.stdout).toMatch(new RegExp(`^${ADDRESS.source}\n$`));
    const [, code] = ADDRESS.exec(printed.stdout) ?? [];
    const address = new URL(printed.stdout.trim());
    const enter = () =>
      fetch(`${address.origin}/session`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Origin: address.origin },
        body: JSON.stringify({ code }),
      });
    expect([(await enter()).status, (await enter()).status]).toEqual([200, 401]);
  });

  it('says how to start a daemon where none runs', async () => {
    const { env } = freshPlace();
    const { code, stderr } = await runCli(['open'], env);
    expect(code).toBe(1);
    expect(stderr).toMatch(/DAEMON_NOT_RUNNING[\s\S]*callsheet daemon/);
  });
});
