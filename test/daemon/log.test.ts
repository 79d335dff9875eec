import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createLog, createLogger } from '#daemon/log.ts';

function capture() {
  let text = '';
  const log = createLogger(
    new Writable({
      write(chunk, _encoding, done) {
        text += String(chunk);
        done();
      },
    }),
    'trace',
  );
  return { log, text: () => text };
}

describe('the log', () => {
  it.each(['a\r\nb', 'a\u001b[31mb', 'a\u2028b', 'a\u202eb', 'a\u0085b', 'a\u0000b'])(
    '[S29] keeps %j on one line without active characters',
    (field) => {
      const { log, text } = capture();
      log.info({ field }, 'x');
      expect(text().match(/\n/g)).toHaveLength(1);
      expect(text().slice(0, -1).split('').filter(isActive)).toEqual([]);
      expect(JSON.parse(text())).toHaveProperty('field');
    },
  );

  it.each(['key', 'token', 'secret', 'proof', 'authorization', 'Authorization', 'cookie', 'headers'])(
    '[S30] cuts the field %s out, also one level down',
    (name) => {
      const { log, text } = capture();
      log.info({ [name]: 'hush' }, 'x');
      log.info({ request: { [name]: 'hush' } }, 'x');
      expect(text()).not.toContain('hush');
    },
  );

  it('loses lines on a full disk, not the process', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'callsheet-log-'));
    mkdirSync(join(dataDir, 'log'));
    // A device that takes nothing, as a disk without room.
    symlinkSync('/dev/full', join(dataDir, 'log', 'callsheet.log'));
    const made = await createLog({ dataDir, terminal: false });
    for (let line = 0; line < 100; line += 1) made.log.info({ line }, 'x');
    await new Promise((resolve) => setImmediate(resolve));
    made.log.info('y');
    await expect(made.close()).resolves.toBeUndefined();
    rmSync(dataDir, { recursive: true });
  });

  it('cuts long fields short', () => {
    const { log, text } = capture();
    log.info({ field: 'x'.repeat(100_000) }, 'x');
    expect(text().length).toBeLessThan(3000);
  });
});

/** Controls, line separators and direction marks. */
function isActive(char: string): boolean {
  const code = char.charCodeAt(0);
  return code < 0x20 || (code >= 0x7f && code <= 0x9f) || (code >= 0x2028 && code <= 0x202e);
}
