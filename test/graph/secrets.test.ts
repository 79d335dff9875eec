import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSecretName, REDACTED, redactJson, redactText } from '#graph/secrets.ts';

const KEY = 'Zq81-marker-Zq81';

describe('names of secrets', () => {
  it.each([
    'api_key',
    'apikey',
    'API-Key',
    'openaiApiKey',
    'hf_token',
    'token',
    'auth_token',
    'password',
    'passwd',
    'client_secret',
    'Authorization',
    'cookie',
  ])('are %s', (name) => expect(isSecretName(name)).toBe(true));
  it.each([
    'seed',
    'trigger_token',
    'max_tokens',
    'tokens_per_step',
    'keyframe',
    'key',
    'keys',
    'monkey',
    'author',
    'passes',
    'secretary',
    'tokenizer',
  ])('are not %s', (name) => expect(isSecretName(name)).toBe(false));
});

describe('texts without their secrets', () => {
  it.each([
    ['a key of a well-known shape', 'use sk-abcdefghijklmnopqrstuvwx now', `use ${REDACTED} now`],
    ['a token of a hub', 'hf_abcdefghijklmnopqrstuvwx', REDACTED],
    ['an address with a password', 'https://me:pw@host:8188/x', 'https://host:8188/x'],
    ['an address with a key behind it', 'https://host/x?api_key=abc&size=2', `https://host/x?api_key=${REDACTED}&size=2`],
    ['a header', 'Authorization: Bearer abcdefgh1234', `Authorization: Bearer ${REDACTED}`],
    ['a prompt', 'a fox with a secret token, 4k, key light, sk-8', 'a fox with a secret token, 4k, key light, sk-8'],
    ['a mail address', 'mail me@example.com', 'mail me@example.com'],
  ])('are so for %s', (_, text, clean) => {
    expect(redactText(text)).toBe(clean);
    expect(redactText(redactText(text))).toBe(clean);
  });

  it('are so in JSON, with everything else as it is, byte for byte', () => {
    const text = `{ "1": {"class_type":"X", "inputs": {"api_key": "${KEY}", "text": "see ${KEY}!", "seed": 18446744073709551615, "n": NaN}},\n "2": {} }`;
    const { text: clean, places, values } = redactJson(text);
    expect(clean).toBe(text.replace(`"${KEY}"`, `"${REDACTED}"`).replace(`see ${KEY}!`, `see ${REDACTED}!`));
    expect(places).toEqual(['1.inputs.api_key']);
    expect(values).toEqual([KEY]);
  });

  it('are so for what was found elsewhere', () => {
    expect(redactJson(`["${KEY}"]`, [KEY]).text).toBe(`["${REDACTED}"]`);
    expect(redactJson(`no JSON but ${KEY}`, [KEY]).text).toBe(`no JSON but ${REDACTED}`);
  });

  it('are so wherever a secret stands, however deep (property)', () => {
    const name = fc.constantFrom('api_key', 'password', 'hf_token', 'text', 'a');
    const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom<unknown>(KEY, `in ${KEY} between`, 'plain', 1, null, true),
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(name, tie('tree'), { maxKeys: 3 }),
      ),
    }));
    fc.assert(
      fc.property(tree, (value) => {
        const { text } = redactJson(JSON.stringify({ api_key: KEY, value }));
        expect(text).not.toContain(KEY);
        expect(() => JSON.parse(text)).not.toThrow();
        expect(redactJson(text).text).toBe(text);
      }),
    );
  });
});
