import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createLogger, terminalStream } from '#daemon/log.ts';

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

const MARKER = 'hush-marker-7f3a9c';

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

  it.each([
    { apiKey: MARKER },
    { 'X-Api-Key': MARKER },
    { access_token: MARKER },
    { a: { b: { c: { d: { e: { password: MARKER } } } } } },
    { list: [{ headers: { anything: MARKER } }] },
    { map: new Map([['token', MARKER]]) },
    { set: new Set([{ cookie: MARKER }]) },
    { err: Object.assign(new Error('x'), { request: { headers: { Authorization: MARKER } } }) },
    { err: new Error('x', { cause: Object.assign(new Error('y'), { credentials: MARKER }) }) },
    { err: new AggregateError([Object.assign(new Error('y'), { secret: MARKER })], 'x') },
    { err: new Error(`GET http://user:${MARKER}@host/ failed`) },
    { err: new Error(`header was Bearer ${MARKER}`) },
    { why: `https://host/?token=${MARKER}&x=1` },
    { why: `Authorization: Basic ${MARKER}` },
  ])('cuts a secret out wherever it stands: %j', (fields) => {
    const { log, text } = capture();
    log.info(fields, 'x');
    log.child(fields).info('x');
    log.info(fields, `Bearer ${MARKER}`);
    expect(text()).not.toContain(MARKER);
    expect(text()).toContain('[secret]');
    expect(
      text()
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toHaveLength(3);
  });

  it('keeps what is no secret: ids, names, codes, numbers, and what an error says', () => {
    const { log, text } = capture();
    const fields = { runId: 'r', step: 's', item: 0, attempt: 1, promptId: 'p', requestKey2: 'k', code: 'NODE_FAILED', path: '/a/b' };
    log.info({ ...fields, err: new RangeError('too far', { cause: 'why' }) }, 'x');
    expect(JSON.parse(text())).toMatchObject({ ...fields, err: { type: 'RangeError', message: 'too far', cause: 'why' }, msg: 'x' });
    expect(text()).toContain('log.test.ts');
  });

  it('writes a line of what is a circle, too deep, too wide, or throws when it is read', () => {
    const { log, text } = capture();
    const circle: Record<string, unknown> = { big: 1n };
    circle['self'] = circle;
    const deep = Array.from({ length: 100 }).reduce<object>((within) => ({ within }), {});
    const wide = Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`n${n}`, n]));
    const torn = {
      get bad(): string {
        throw new Error('no');
      },
    };
    log.info({ circle, deep, wide, torn, list: Array.from({ length: 10_000 }, () => 1), bytes: Buffer.alloc(10) }, 'x');
    expect(JSON.parse(text())).toMatchObject({
      circle: { big: '1', self: '[circle]' },
      torn: { bad: '[unreadable]' },
      bytes: '[10 bytes]',
    });
    expect(text().length).toBeLessThan(10_000);
  });

  it.each(['a\n{"level":30,"msg":"forged"}', 'a\r\n12:00:00 INFO forged', '\u001b[2Ja'])(
    'keeps %j in one line as a field, as a message, as a name, in an error and in a child',
    (evil) => {
      const { log, text } = capture();
      log.info({ evil, [evil]: 1, err: new Error(evil), nested: [{ evil }] }, evil);
      log.child({ evil }).info(evil);
      log.info(evil);
      expect(text().trimEnd().split('\n')).toHaveLength(3);
      expect(text()).not.toMatch(/(?!\n)\p{Cc}/u);
    },
  );

  it('shows on a terminal nothing that looks like a line of its own, or acts', async () => {
    let shown = '';
    const screen = new Writable({
      write(chunk, _encoding, done) {
        shown += String(chunk);
        done();
      },
    });
    const evil = 'a\n[12:00:00] INFO: forged\u001b[31m\u009b2J';
    const log = createLogger(await terminalStream(screen), 'info');
    log.info({ evil, [evil]: { [evil]: evil }, list: [evil], err: new Error(evil) }, evil);
    log.child({ [evil]: evil }).info({ stack: evil, type: 'Error', message: evil }, evil);
    expect(shown.match(/^\[/gm)).toHaveLength(2);
    expect(shown).not.toMatch(/(?!\n)\p{Cc}/u);
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
