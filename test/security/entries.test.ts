// Keys that reach prototypes, JSON that is deep or wide, patterns and schemas that take for ever, expressions that escape: at each way in.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApprovals } from '#daemon/exchange/approvals.ts';
import { parseJson } from '#graph/json.ts';
import { parseObjectInfo } from '#graph/object-info.ts';
import { toValue } from '#graph/values.ts';
import { isBlocking } from '#protocol/problem.ts';
import { findMethod } from '#protocol/methods/index.ts';
import { FRAME_LIMITS, parseFrame } from '#protocol/rpc.ts';
import { parseCondition } from '#templates/conditions.ts';
import { compilePattern, refillPatternWork } from '#templates/pattern.ts';
import { countCases } from '../count-cases.ts';
import { openSession, openTestDoor, rawSocket } from '../daemon/door-harness.ts';
import type { TestDoor } from '../daemon/door-harness.ts';
import { manifest, openPlace, GRAPH } from '../daemon/exchange/exchange-harness.ts';
import type { Place } from '../daemon/exchange/exchange-harness.ts';

let door: TestDoor;
let place: Place;
beforeAll(async () => {
  door = await openTestDoor();
  place = await openPlace({ hero: manifest('hero') });
});
afterAll(async () => {
  await door[Symbol.asyncDispose]();
  await place[Symbol.asyncDispose]();
});

/** Members that reach, or would like to reach, the prototype of what they are read into. Each holds `polluted`. */
const KEYS: readonly string[] = [
  '"__proto__":{"polluted":1}',
  '"\\u005f_proto__":{"polluted":1}',
  '"\\u005f\\u005fproto\\u005f\\u005f":{"polluted":1}',
  '"__proto__":null,"polluted":1',
  '"constructor":{"prototype":{"polluted":1}}',
  '"constructor":{"\\u0070rototype":{"polluted":1}}',
  '"prototype":{"polluted":1}',
  '"__defineGetter__":{"polluted":1}',
  '"__lookupSetter__":{"polluted":1}',
  '"toString":{"polluted":1}',
  '"valueOf":{"polluted":1}',
  '"hasOwnProperty":{"polluted":1}',
];

const isClean = (): boolean => !('polluted' in {}) && !('polluted' in []) && typeof {}.toString === 'function';

/** Hands a JSON object that has the member to a way in; true when the member came in as data or was refused, and reached nothing. */
const WAYS: Readonly<Record<string, (member: string, at: string) => Promise<void> | void>> = {
  'a call': async (member) => {
    const session = await rawSocket(place.daemon.url, { Authorization: `Bearer ${place.daemon.endpoint.key}` });
    session.send({ jsonrpc: '2.0', id: 'init', method: 'initialize', params: { client: { name: 'test', version: '1' } } });
    await session.next((text) => text.includes('"init"'));
    session.send(`{"jsonrpc":"2.0","id":7,"method":"run/start","params":{"template":"hero","parameters":{${member}}}}`);
    expect(await session.next((text) => text.includes('"id":7') || text.includes('"id":null'))).toContain('"error"');
    session.socket.terminate();
  },
  'a template': async (member, at) => {
    const folder = join(place.dir, 'project', `proto-${at}`);
    mkdirSync(folder, { recursive: true });
    const text = JSON.stringify(manifest(`proto-${at}`));
    writeFileSync(join(folder, 'template.json'), `{${member},${text.slice(1)}`);
    writeFileSync(join(folder, 'draw.json'), JSON.stringify(GRAPH));
    const { files } = await place.client.call('template/check', { path: folder });
    expect(files.flatMap(({ problems }) => problems)).not.toEqual([]);
  },
  'a workflow': (member) => {
    const { root, problems } = parseJson(`{"1":{"class_type":"A","inputs":{${member}}}}`, { file: 'x' });
    if (problems.some(isBlocking)) return;
    expect(Object.getPrototypeOf(toValue(root ?? fail()))).toBe(Object.prototype);
  },
  'an answer of a backend': (member) => {
    const { info } = parseObjectInfo(`{"A":{"input":{"required":{${member}}},"output":[],${member}}}`);
    expect(info === undefined || info.classes instanceof Map).toBe(true);
  },
  'the file of approvals': (member, at) => {
    const file = join(place.dir, `approvals-${at}.json`);
    writeFileSync(file, `{"format":1,${member},"approved":[{${member}}]}`);
    expect(openApprovals(file, { warn: () => undefined }).has('polluted')).toBe(false);
  },
  'the parameters of a condition': (member) => {
    const parsed = parseCondition('has(params.polluted) && params.polluted == 1');
    if (!('condition' in parsed)) throw new Error('no condition');
    const params = JSON.parse(`{"a":{${member}}}`) as object;
    expect(safely(() => parsed.condition.evaluate({ params, steps: {}, choices: {}, backend: {} }))).not.toBe(true);
  },
};

function fail(): never {
  throw new Error('no root');
}

function safely(work: () => unknown): unknown {
  try {
    return work();
  } catch {
    return undefined;
  }
}

describe('[S15] a member that reaches for a prototype', () => {
  const tally = { tried: 0, clean: 0 };
  afterAll(() => countCases('prototype keys', tally));
  const cases = Object.keys(WAYS).flatMap((way) => KEYS.map((member, index) => ({ way, member, at: `${index}` })));

  it.each(cases)('reaches nothing through $way: $member', async ({ way, member, at }) => {
    tally.tried += 1;
    await WAYS[way]?.(member, at);
    expect(isClean()).toBe(true);
    tally.clean += 1;
  });

  it.each(['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__', 'rpc.', 'then'])(
    'is no method: %s',
    async (name) => {
      expect(findMethod(name)).toBeUndefined();
      const session = await openSession(door);
      session.send({ jsonrpc: '2.0', id: 1, method: name, params: {} });
      expect(await session.next()).toContain('-32601');
      session.socket.terminate();
    },
  );
});

describe('[S14] JSON that is deep', () => {
  const nested = (levels: number): string => `${'{"a":'.repeat(levels - 1)}{}${'}'.repeat(levels - 1)}`;
  const frameOf = (levels: number): string => `{"jsonrpc":"2.0","id":1,"method":"ping","params":${nested(levels - 1)}}`;

  it.each([
    [63, true],
    [64, true],
    [65, false],
    [100_000, false],
  ])('of %i levels is taken: %s', (levels, taken) => {
    const [message] = parseFrame(frameOf(levels), FRAME_LIMITS).messages;
    expect(message?.kind === 'call').toBe(taken);
  });

  it.each([256, 257, 100_000])('of %i levels in a workflow or an answer of a backend throws nothing', (levels) => {
    const { problems } = parseJson(nested(levels), { file: 'x' });
    expect(problems.some(isBlocking)).toBe(levels > 256);
    expect(() => parseObjectInfo(nested(levels))).not.toThrow();
  });
});

/** Patterns that take exponential or high polynomial time where an engine backtracks. */
const EVIL: readonly string[] = [
  '^(a+)+$',
  '^(a*)*$',
  '^(a|a)*$',
  '^(a|aa)+$',
  '^(a|a?)+$',
  '^(.*a){20}$',
  '(a+){10}$',
  '^(([a-z])+.)+[A-Z]([a-z])+$',
  '^(\\w+\\s?)*$',
  '^([a-zA-Z0-9])(([\\-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}[a-z0-9]+$',
  '(x+x+)+y',
  '^(\\d+)+$',
  '^(\\d*)*x$',
  '((ab)*)+$',
  '(.*)*=.*',
  '^(?:a+b?)+$',
  '(a?){30}a{30}',
  '^(a+|b+|c+)*d$',
  '([^"]*)*"',
  '^((a+)*)*$',
  '(\\s*)*x',
  '^[\\s\\S]*?(a+)+b',
  '(?:(?:a*)*)*b',
  '^(.+)+@(.+)+\\.(.+)+$',
  '(?:[a-z]+)*[0-9]',
  '^(a{1,10}){1,10}$',
  '(?i)^(A+)+$',
  '^(a+b*)+c',
  '^(.|.)*x$',
  '(([a-c])+)*z',
];

describe('[S16] a pattern that takes for ever elsewhere', () => {
  const tally = { tried: 0, bounded: 0, slowest: 0 };
  afterAll(() => countCases('patterns', tally));

  it.each(EVIL)('%s ends on 64 KiB, or is refused when it is read', (source) => {
    tally.tried += 1;
    const text = `${'a'.repeat(64 * 1024 - 1)}!`;
    const at = performance.now();
    refillPatternWork();
    const outcome = safely(() => compilePattern(source).test(text));
    tally.slowest = Math.max(tally.slowest, Math.round(performance.now() - at));
    // Backtracking would be at work for longer than there are tests.
    expect([true, false, undefined]).toContain(outcome);
    tally.bounded += 1;
  });
});

describe('[S22] an expression that wants out', () => {
  const ESCAPES: readonly string[] = [
    'constructor',
    'params.constructor',
    'params.constructor.constructor("return process")()',
    'params["constructor"]',
    "params['__proto__']",
    'params.__proto__',
    'this',
    'globalThis',
    'process',
    'process.env',
    'require("fs")',
    'import("fs")',
    'eval("1")',
    'Function("1")()',
    'new Date()',
    '(() => 1)()',
    'x => x',
    'function(){}',
    '`${process}`',
    'params`x`',
    'params.x = 1',
    'delete params.x',
    'params.x++',
    'while(true){}',
    'for(;;){}',
    'var a = 1',
    'let a = 1',
    'throw 1',
    'async',
    'await 1',
    'yield',
    'typeof process',
    'void 0',
    '1, 2',
    'params?.constructor',
    '[].constructor',
    '"".constructor',
    '(1).constructor',
    '{}.constructor',
    '[].map(constructor)',
    '"a".matches("(a+)+$")',
    'steps.constructor',
    'choices.__proto__.x',
    'backend.constructor.name',
    '\\u0063onstructor',
    'params.\\u005f_proto__',
    'type(params).constructor',
    '[1].map(x, x.constructor)',
    'params.all(x, globalThis)',
    '"${process.env}"',
    '#{1}',
    '{{constructor}}',
    '<%= 1 %>',
    '$(id)',
    '; id',
    '| id',
    `${'('.repeat(5000)}1${')'.repeat(5000)}`,
    `1${'+1'.repeat(5000)}`,
    `[${'1,'.repeat(5000)}1]`,
    'a'.repeat(100_000),
    '!'.repeat(5000),
    `${'[1].map(x,'.repeat(40)}1${')'.repeat(40)}`,
    '/*',
    '//',
    '"',
    'params.valueOf()',
    'params.hasOwnProperty("x")',
    'params.toString()',
    'steps["__proto__"]["x"]',
    'has(params.__proto__)',
    'has(params.constructor)',
    'params.map(k, k.constructor)',
    '["a"][0].constructor("x")',
    'size(constructor)',
    'string(constructor)',
    'dyn(params).constructor',
    'int(process.pid)',
    'bytes("x").constructor',
    'timestamp("2020-01-01T00:00:00Z").constructor',
    'duration("1s").__proto__',
    'google.protobuf.Any{}',
    'params.filter(x, eval(x))',
    'cel.bind(x, 1, x)',
    'params.x.y.z.constructor',
    'params.x ? constructor : 1',
    'params || globalThis',
    '!constructor',
    '-process',
    'params in constructor',
    'math.greatest(process)',
    'optional.of(process)',
    'params.?constructor',
    'params[?"constructor"]',
    'r"\\" + process',
    'b"x" + process',
    'params.__defineGetter__("x", 1)',
    "'",
    '\\',
    '\0',
    '\uD800',
  ];
  const tally = { tried: 0, held: 0 };
  afterAll(() => countCases('escapes', tally));

  it.each(ESCAPES.map((text) => [text.slice(0, 60), text]))('gets nothing: %j', (_short, text) => {
    tally.tried += 1;
    const parsed = parseCondition(text);
    const scope = { params: { x: 1 }, steps: {}, choices: {}, backend: {} };
    // Whatever could be read is a plain no over the given values, or cannot be decided.
    const outcome = 'condition' in parsed ? (safely(() => parsed.condition.evaluate(scope)) ?? 'undecided') : parsed.message;
    expect(outcome === false || (typeof outcome === 'string' && outcome !== '')).toBe(true);
    expect(scope).toEqual({ params: { x: 1 }, steps: {}, choices: {}, backend: {} });
    expect(isClean()).toBe(true);
    tally.held += 1;
  });
});

describe('[S17] a template that unfolds without end', () => {
  const BOMBS: Readonly<Record<string, object>> = {
    'a reference to itself': { parameters: { p: { type: 'string', $ref: '#' } } },
    'references that double': { parameters: { p: { type: 'string', allOf: [{ $ref: '#/a' }, { $ref: '#/a' }] } } },
    'a hundred thousand choices': { parameters: { p: { type: 'string', choices: Array.from({ length: 100_000 }, (_, at) => `c${at}`) } } },
    'five thousand nested conditions': {
      parameters: { p: { type: 'string', default: 'x', visibleWhen: `${'('.repeat(5000)}1${')'.repeat(5000)}` } },
    },
    'lists of lists of lists': { parameters: { p: { type: 'list', of: { type: 'list', of: { type: 'list', of: 'string' } } } } },
    'a pattern that doubles': { parameters: { p: { type: 'string', pattern: '((((a{1,30}){1,30}){1,30}){1,30})' } } },
    'ten thousand parameters': {
      parameters: Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [`p${at}`, { type: 'string', default: '' }])),
    },
    'ten thousand steps': { steps: Array.from({ length: 10_000 }, (_, at) => ({ id: `s${at}`, workflow: 'draw.json' })) },
    'steps in a circle': {
      steps: [
        { id: 'a', workflow: 'draw.json', needs: ['b'] },
        { id: 'b', workflow: 'draw.json', needs: ['a'] },
      ],
    },
  };
  const tally = { tried: 0, survived: 0 };
  afterAll(() => countCases('bombs', tally));

  it.each(Object.entries(BOMBS))('is a problem that is told, and the daemon lives: %s', async (name, changes) => {
    tally.tried += 1;
    const id = `bomb-${name.replaceAll(/\W+/g, '-')}`;
    const folder = join(place.dir, 'project', id);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'template.json'), JSON.stringify({ ...manifest(id), ...changes }));
    writeFileSync(join(folder, 'draw.json'), JSON.stringify(GRAPH));
    const { files } = await place.client.call('template/check', { path: folder });
    expect(files).not.toEqual([]);
    expect(await place.client.call('ping')).toEqual({ ok: true });
    tally.survived += 1;
  });
});
