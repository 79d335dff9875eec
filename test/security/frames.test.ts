// Frames by hand, against the rules of RFC 6455 and our limits: each ends the connection with its code, and nobody else's.
import { randomBytes } from 'node:crypto';
import { connect as dial } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countCases } from '../count-cases.ts';
import { openSession, openTestDoor } from '../daemon/door-harness.ts';
import type { TestDoor } from '../daemon/door-harness.ts';
import { UPGRADE } from './support.ts';

let door: TestDoor;
const tally = { tried: 0, closed: 0 };
beforeAll(async () => {
  door = await openTestDoor();
});
afterAll(async () => {
  countCases('frames', tally);
  await door[Symbol.asyncDispose]();
});

interface FrameParts {
  readonly opcode?: number;
  readonly fin?: boolean;
  /** RSV1 to RSV3 as bits 0x40, 0x20, 0x10. */
  readonly reserved?: number;
  readonly masked?: boolean;
  readonly payload?: Buffer | string;
  /** Claims another length than it has. */
  readonly claimed?: bigint;
}

function frame({ opcode = 1, fin = true, reserved = 0, masked = true, payload = '', claimed }: FrameParts): Buffer {
  const body = Buffer.from(payload);
  const length = claimed ?? BigInt(body.length);
  const size = length < 126n ? Buffer.from([Number(length)]) : length < 65_536n ? Buffer.alloc(3) : Buffer.alloc(9);
  if (size.length === 3) {
    size[0] = 126;
    size.writeUInt16BE(Number(length), 1);
  } else if (size.length === 9) {
    size[0] = 127;
    size.writeBigUInt64BE(length, 1);
  }
  if (masked) size[0] = (size[0] ?? 0) | 0x80;
  const mask = masked ? randomBytes(4) : Buffer.alloc(0);
  const sent = masked ? body.map((byte, at) => byte ^ (mask[at % 4] ?? 0)) : body;
  return Buffer.concat([Buffer.from([(fin ? 0x80 : 0) | reserved | opcode]), size, mask, sent]);
}

/** Opens a connection with a key, sends the bytes, and resolves with the code that the server closed with; 0 without a close frame. */
function closeCodeOf(bytes: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = dial(door.port, '127.0.0.1');
    let received = Buffer.alloc(0);
    let sent = false;
    socket.on('connect', () => {
      const head = ['GET /rpc HTTP/1.1', `Host: ${door.host}`, `Authorization: Bearer ${door.key}`, ...UPGRADE, '', ''];
      socket.write(head.join('\r\n'));
    });
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (sent || !received.includes('\r\n\r\n')) return;
      sent = true;
      received = received.subarray(received.indexOf('\r\n\r\n') + 4);
      socket.write(bytes);
    });
    // Whoever is cut off while it still sends is reset.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error);
    });
    socket.on('close', () => {
      const at = received.findIndex((byte, index) => byte === 0x88 && (received[index + 1] ?? 0) >= 2);
      resolve(at < 0 ? 0 : received.readUInt16BE(at + 2));
    });
  });
}

const LONG = 'x'.repeat(200);
const LIMIT = 1024 * 1024;
const closing = (code: number, reason = ''): Buffer => {
  const body = Buffer.alloc(2 + Buffer.byteLength(reason));
  body.writeUInt16BE(code);
  body.write(reason, 2);
  return frame({ opcode: 8, payload: body });
};

const CASES: readonly (readonly [name: string, bytes: () => Buffer, code: number])[] = [
  ['a text that is not masked', () => frame({ masked: false, payload: '{}' }), 1002],
  ['a ping that is not masked', () => frame({ masked: false, opcode: 9 }), 1002],
  ['the first reserved bit: compression that was not agreed', () => frame({ reserved: 0x40, payload: '{}' }), 1002],
  ['the second reserved bit', () => frame({ reserved: 0x20, payload: '{}' }), 1002],
  ['the third reserved bit', () => frame({ reserved: 0x10, payload: '{}' }), 1002],
  ['all reserved bits', () => frame({ reserved: 0x70, payload: '{}' }), 1002],
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map(
    (opcode) => [`the unknown kind ${opcode}`, () => frame({ opcode, payload: 'x' }), 1002] as const,
  ),
  ['a continuation of nothing', () => frame({ opcode: 0, payload: 'x' }), 1002],
  ['a new message within another', () => Buffer.concat([frame({ fin: false, payload: '{' }), frame({ payload: '}' })]), 1002],
  ['a ping in pieces', () => frame({ opcode: 9, fin: false }), 1002],
  ['a close in pieces', () => frame({ opcode: 8, fin: false }), 1002],
  ['a ping that is too long', () => frame({ opcode: 9, payload: LONG }), 1002],
  ['a pong that is too long', () => frame({ opcode: 10, payload: LONG }), 1002],
  ['a close of one byte', () => frame({ opcode: 8, payload: 'x' }), 1002],
  ...[0, 999, 1004, 1005, 1006, 1015, 2999, 5000].map((code) => [`a close with the code ${code}`, () => closing(code), 1002] as const),
  ['a close whose reason is no UTF-8', () => frame({ opcode: 8, payload: Buffer.from([0x03, 0xe8, 0xff, 0xfe]) }), 1007],
  ['a text that is no UTF-8', () => frame({ payload: Buffer.from([0x22, 0xff, 0xfe, 0x22]) }), 1007],
  ['a text with a surrogate', () => frame({ payload: Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]) }), 1007],
  ['a text that is cut within a character', () => frame({ payload: Buffer.from([0x22, 0xe2, 0x82]) }), 1007],
  ['one byte more than a frame may have', () => frame({ payload: Buffer.alloc(LIMIT + 1, 0x20) }), 1009],
  ['a frame that claims 2^62 bytes', () => frame({ payload: 'x', claimed: 2n ** 62n }), 1009],
  ['a frame that claims 2^53 bytes', () => frame({ payload: 'x', claimed: 2n ** 53n }), 1009],
  [
    'pieces that are too large together',
    () => Buffer.concat([frame({ fin: false, payload: Buffer.alloc(LIMIT) }), frame({ opcode: 0, payload: 'xx' })]),
    1009,
  ],
  ['65 pieces', () => pieces(65), 1008],
  ['100,000 pieces of one byte', () => pieces(100_000), 1008],
  ['100,000 empty pieces', () => pieces(100_000, ''), 1008],
  ['a binary message', () => frame({ opcode: 2, payload: '{}' }), 1003],
  ['an empty binary message', () => frame({ opcode: 2 }), 1003],
];

function pieces(count: number, payload = 'x'): Buffer {
  return Buffer.concat([
    frame({ fin: false, payload }),
    ...Array.from({ length: count - 1 }, (_, at) => frame({ opcode: 0, fin: at === count - 2, payload })),
  ]);
}

describe('[S11] a connection', () => {
  it.each(CASES)('is closed at %s', async (_name, bytes, code) => {
    tally.tried += 1;
    const other = await openSession(door);
    expect(await closeCodeOf(bytes())).toBe(code);
    other.send({ jsonrpc: '2.0', id: 1, method: 'ping' });
    expect(await other.next((text) => text.includes('"id":1'))).toContain('"ok":true');
    other.socket.terminate();
    tally.closed += 1;
  });

  it('is not closed at what only looks odd: pieces within the limit, a ping between them, and 1 MiB', async () => {
    const text = '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"client":{"name":"x","version":"1"}}}';
    const split = Buffer.concat([
      frame({ fin: false, payload: text.slice(0, 10) }),
      frame({ opcode: 9, payload: 'hello' }),
      frame({ opcode: 0, payload: text.slice(10) }),
      frame({ payload: `${' '.repeat(LIMIT - 45)}{"jsonrpc":"2.0","id":2,"method":"ping"}`.padEnd(LIMIT) }),
      closing(1000, 'done'),
    ]);
    expect(await closeCodeOf(split)).toBe(1000);
  });
});
