import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDispatcher } from '#protocol/dispatch.ts';
import { measureJson } from '#protocol/json-limits.ts';
import { FRAME_LIMITS, formatCall, formatNotification, namedParams, parseFrame } from '#protocol/rpc.ts';

const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;
const call = (params: string): string => `{"jsonrpc":"2.0","id":1,"method":"m","params":${params}}`;
const kindOf = (text: string): string | undefined => parseFrame(text).messages[0]?.kind;

describe('a frame', () => {
  it.each([
    ['63 levels', call(`{"a":${nested(61)}}`), 'call'],
    ['64 levels', call(`{"a":${nested(62)}}`), 'call'],
    ['65 levels', call(`{"a":${nested(63)}}`), 'invalid'],
    ['100 000 levels', call(`{"a":${nested(100_000)}}`), 'invalid'],
    ['a string at the limit', call(`{"a":"${'x'.repeat(256 * 1024)}"}`), 'call'],
    ['a string beyond it', call(`{"a":"${'x'.repeat(256 * 1024 + 1)}"}`), 'invalid'],
    ['brackets inside a string', call(`{"a":"${'['.repeat(1000)}\\"]"}`), 'call'],
    ['the largest safe integer', call('{"a":9007199254740991}'), 'call'],
    ['a long fraction', call('{"a":0.12345678901234567890}'), 'call'],
  ])('with %s is %s', (_name, text, kind) => {
    expect(kindOf(text)).toBe(kind);
  });

  it('with 50 000 values is taken, with one more it is not', () => {
    const inner = (count: number) => call(`{"a":[${Array.from({ length: count }, () => '1').join(',')}]}`);
    // The message, its three scalar members, the params and the list count too.
    expect([kindOf(inner(49_994)), kindOf(inner(49_995))]).toEqual(['call', 'invalid']);
  });

  it('with 50 messages is taken, with 51 none of them is', () => {
    const batch = (count: number) => `[${Array.from({ length: count }, (_, id) => `{"jsonrpc":"2.0","id":${id},"method":"m"}`).join(',')}]`;
    expect(parseFrame(batch(50)).messages).toHaveLength(50);
    expect(parseFrame(batch(51))).toMatchObject({ batch: false, messages: [{ kind: 'invalid', id: 'null' }] });
  });

  it('of any text is answered with JSON or with nothing, and never throws', async () => {
    const dispatcher = createDispatcher({ handle: (_method, params) => namedParams(params) });
    const text = fc.oneof(
      fc.json(),
      fc.string(),
      fc.array(fc.jsonValue()).map((value) => JSON.stringify(value)),
    );
    const everyAnswerIsJson = fc.asyncProperty(text, async (frame) => {
      JSON.parse((await dispatcher.receive(frame, undefined)) ?? 'null');
    });
    await expect(fc.assert(everyAnswerIsJson)).resolves.toBeUndefined();
  });

  it('is measured as JSON.parse sees it: depth, values and ids', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(undefined, 2), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent);
        const limits = { ...FRAME_LIMITS, depth: depthOf(value), nodes: nodesOf(value) };
        const kinds = (change: Partial<typeof limits>) => measureJson(text, { ...limits, ...change }).misfit?.kind;
        const odd = /__proto__/.test(text) || /\d{16}/.test(text);
        fc.pre(!odd);
        expect(kinds({})).toBeUndefined();
        expect(kinds({ nodes: limits.nodes - 1 })).toBe('nodes');
        expect(limits.depth === 0 || kinds({ depth: limits.depth - 1 }) === 'depth').toBe(true);
      }),
    );
  });

  it('gives every id back as the bytes it was, wherever it stands', () => {
    const id = fc.oneof(
      fc.maxSafeInteger().map(String),
      fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)),
    );
    fc.assert(
      fc.property(id, fc.jsonValue(), fc.boolean(), fc.boolean(), (raw, value, first, batch) => {
        const params = `"params":{"id":${JSON.stringify(value)},"x":[{"id":1}]}`;
        const text = first
          ? `{"id": ${raw} ,"jsonrpc":"2.0","method":"m",${params}}`
          : `{${params},"jsonrpc":"2.0","method":"m","id":${raw}}`;
        fc.pre(measureJson(text).misfit === undefined);
        expect(parseFrame(batch ? `[7, ${text}]` : text).messages.at(-1)).toMatchObject({ kind: 'call', id: raw });
      }),
    );
  });
});

describe('what we send', () => {
  it('is read back by the same parser', () => {
    expect(parseFrame(formatCall(3, 'a/b', { x: 1 })).messages).toEqual([{ kind: 'call', id: '3', method: 'a/b', params: { x: 1 } }]);
    expect(parseFrame(formatNotification('event', { y: 2 })).messages).toEqual([
      { kind: 'notification', method: 'event', params: { y: 2 } },
    ]);
  });
});

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

function nodesOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce<number>((sum, each) => sum + nodesOf(each), 1);
}
