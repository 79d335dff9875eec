/** The parts of the MCP server that need no daemon, and the page that describes it. */
import { readFileSync } from 'node:fs';
import { SUPPORTED_PROTOCOL_VERSIONS } from '@modelcontextprotocol/server';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { MAX_TEMPLATE_TOOLS, toolName } from '#cli/mcp/catalogue.ts';
import { inputSchema } from '#cli/mcp/input-schema.ts';
import { PICTURE_BYTES, toPicture } from '#cli/mcp/picture.ts';
import { createRequestKeys } from '#cli/mcp/request-keys.ts';
import { RESOURCE_BYTES } from '#cli/mcp/resources.ts';
import { TOOLS } from '#cli/mcp/tools.ts';
import { parseUri } from '#cli/mcp/uris.ts';
import { parameterSchema } from '#templates/parameter-schema.ts';
import type { ParameterDefinition } from '#templates/types.ts';

const page = readFileSync(new URL('../../docs/mcp.md', import.meta.url), 'utf8');

describe('docs/mcp.md', () => {
  it('lists exactly the tools, with their arguments and what they say of themselves', () => {
    const rows = page.split('\n').filter((line) => /^\| `[a-z_]+` \| (?:`[^`]*`)? \| /.test(line));
    const expected = TOOLS.map(({ name, description, input }) => {
      const { properties, required } = input.json as { readonly properties: object; readonly required?: readonly string[] };
      const given = Object.keys(properties).map((each) => `${each}${required?.includes(each) === true ? '' : '?'}`);
      return `| \`${name}\` | ${given.length === 0 ? '' : `\`${given.join(', ')}\``} | ${description} |`;
    });
    expect(rows).toEqual(expected);
  });

  it('names the limits and the oldest protocol as they are', () => {
    for (const words of [`At most ${MAX_TEMPLATE_TOOLS} templates`, `${RESOURCE_BYTES / 1024 / 1024} MiB`, `${PICTURE_BYTES / 1024} KiB`])
      expect(page).toContain(words);
    expect(page).toContain(`those from ${[...SUPPORTED_PROTOCOL_VERSIONS].toSorted()[0] ?? '?'} on`);
  });
});

describe('the schema of a tool', () => {
  const of = (definition: object) =>
    inputSchema(parameterSchema({ parameters: new Map([['x', definition as ParameterDefinition]]) })).properties['x'];

  it.each<[string, object, object]>([
    [
      'a choice with titles',
      { type: 'choice', choices: [{ value: 'a', title: 'First' }, 'b'], default: 'b' },
      { type: 'string', enum: ['a', 'b'], default: 'b', description: 'a: First.' },
    ],
    ['a choice that may be nothing', { type: 'choice', choices: ['a'], default: null }, { type: 'string', enum: ['a'] }],
    [
      'a whole number within bounds',
      { type: 'integer', minimum: 8n, maximum: 64n, multipleOf: 8, default: 8 },
      { type: 'integer', minimum: 8, maximum: 64, multipleOf: 8, default: 8 },
    ],
    [
      'a number with a unit',
      { type: 'number', minimum: 0.5, default: 1, unit: 'm' },
      { type: 'number', minimum: 0.5, default: 1, description: 'In m.' },
    ],
    [
      'a colour',
      { type: 'color', default: '#ff0000' },
      { type: 'string', pattern: '^#[0-9a-f]{6}$', default: '#ff0000', description: 'Hexadecimal, lower case.' },
    ],
    [
      'a list of texts',
      { type: 'list', of: 'string', maxItems: 3, default: [] },
      { type: 'array', items: { type: 'string', maxLength: 10_000 }, minItems: 0, maxItems: 3, default: [] },
    ],
    [
      'a pattern, in words',
      { type: 'string', pattern: '(?i)^a+$', default: 'a' },
      { type: 'string', maxLength: 10_000, default: 'a', description: 'Must match (?i)^a+$' },
    ],
    [
      'a hidden parameter',
      { type: 'boolean', default: true, visible: 'params.y > 1' },
      { type: 'boolean', default: true, description: 'Only used when params.y > 1.' },
    ],
  ])('has %s', (_, definition, schema) => {
    expect(of(definition)).toEqual(schema);
  });

  it('takes a seed as a number or, beyond 2^53, as its digits', () => {
    expect(of({ type: 'seed' })).toMatchObject({ anyOf: [{ type: 'integer', minimum: 0 }, { type: 'string' }] });
  });
});

describe('the name of a tool', () => {
  it('is one that every client takes, and another for each id, however long', () => {
    const long = 'a'.repeat(63);
    const names = ['x', 'pixel-postcard', `${long}b`, `${long}c`].map(toolName);
    expect(names.slice(0, 2)).toEqual(['run_x', 'run_pixel-postcard']);
    for (const name of names) expect(name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
    expect(new Set(names).size).toBe(4);
    expect(TOOLS.some(({ name }) => name.startsWith('run_'))).toBe(false);
  });
});

describe('request keys', () => {
  it('are kept for a wish until its end was told, whatever the order of its members', () => {
    const keys = createRequestKeys();
    const first = keys.wish({ template: 'a', parameters: { x: 1, y: 2 } });
    expect(keys.wish({ parameters: { y: 2, x: 1 }, template: 'a' })).toEqual({ ...first, joined: true });
    expect(keys.wish({ template: 'a', parameters: { x: 1, y: 3 } }).requestKey).not.toBe(first.requestKey);
    keys.began({ template: 'a', parameters: { x: 1, y: 2 } }, 'run-1');
    keys.told('run-1');
    const again = keys.wish({ template: 'a', parameters: { x: 1, y: 2 } });
    expect(again.joined).toBe(false);
    expect(again.requestKey).not.toBe(first.requestKey);
  });

  it('are drawn anew after a refusal', () => {
    const keys = createRequestKeys();
    const { requestKey } = keys.wish({ template: 'a' });
    keys.refused({ template: 'a' });
    expect(keys.wish({ template: 'a' })).toMatchObject({ joined: false, requestKey: expect.not.stringMatching(requestKey) });
  });
});

describe('a picture for a model', () => {
  const noise = (side: number, channels: 3 | 4) =>
    sharp({ create: { width: side, height: side / 2, channels, background: 'black', noise: { type: 'gaussian', mean: 128, sigma: 60 } } })
      .png()
      .toBuffer();
  const show = async (bytes: Buffer, mediaType: string, longest: number) => {
    const link = { artifactBytes: () => Promise.resolve(bytes) };
    const picture = await toPicture(link, { artifactId: 'x', mediaType }, longest);
    return picture === undefined ? undefined : { ...picture, bytes: Buffer.from(picture.data, 'base64') };
  };

  it('is the file itself when that is small', async () => {
    const bytes = await noise(64, 3);
    expect((await show(bytes, 'image/png', 128))?.bytes.equals(bytes)).toBe(true);
  });

  it('is scaled down to the longest side, and further until it is within the limit', async () => {
    const shown = await show(await noise(3000, 3), 'image/png', 2048);
    expect(shown?.mimeType).toBe('image/jpeg');
    expect(shown?.bytes.length).toBeLessThanOrEqual(PICTURE_BYTES);
    const { width, height } = await sharp(shown?.bytes).metadata();
    expect(width).toBeLessThanOrEqual(2048);
    expect(Math.abs(width / 2 - height)).toBeLessThanOrEqual(1);
  });

  it('keeps its transparency, and is of a kind that models take', async () => {
    const clear = await sharp({ create: { width: 300, height: 200, channels: 4, background: { r: 255, g: 0, b: 0, alpha: 0.5 } } })
      .tiff({ compression: 'lzw' })
      .toBuffer();
    const shown = await show(clear, 'image/tiff', 100);
    expect(shown?.mimeType).toBe('image/webp');
    expect(await sharp(shown?.bytes).metadata()).toMatchObject({ width: 100, hasAlpha: true });
  });

  it.each([
    ['a film', 'video/mp4'],
    ['a drawing that could run scripts', 'image/svg+xml'],
    ['what is broken', 'image/png'],
  ])('is none for %s', async (_, mediaType) => {
    expect(await show(Buffer.from('no picture'), mediaType, 100)).toBeUndefined();
  });
});

describe('addresses', () => {
  it.each([
    ['callsheet://artifact/ab-12', { kind: 'artifact', id: 'ab-12' }],
    ['callsheet://run/ab-12', { kind: 'run', id: 'ab-12' }],
    ['callsheet://artifact/', undefined],
    ['callsheet://artifact/a/b', undefined],
    ['callsheet://daemon/a', undefined],
    ['CALLSHEET://run/a', undefined],
    ['/etc/passwd', undefined],
  ])('%s is read as what it is', (uri, address) => {
    expect(parseUri(uri)).toEqual(address);
  });
});
