import { describe, expect, it } from 'vitest';
import { parseConfig } from '#daemon/config.ts';
import { CallsheetError } from '#protocol/errors.ts';

const env = { HOME: '/home/u' };

function problemsOf(options: Parameters<typeof parseConfig>[0], variables = {}): readonly string[] {
  try {
    parseConfig(options, { ...env, ...variables }, '/project');
    return [];
  } catch (error) {
    if (!(error instanceof CallsheetError) || error.code !== 'CONFIG_INVALID') throw error;
    return (error.data.problems ?? []).map(({ message, hint }) => `${message} ${hint ?? ''}`);
  }
}

describe('configuration', () => {
  it('has defaults for everything', () => {
    expect(parseConfig({}, env, '/project')).toMatchObject({
      dataDir: '/home/u/.local/share/callsheet',
      port: 0,
      backends: [{ id: 'sandbox', kind: 'sandbox', pool: {} }],
      roots: ['/project', '/home/u/.local/share/callsheet/output'],
      outputDir: '/home/u/.local/share/callsheet/output',
      runtimeFile: '/home/u/.local/share/callsheet/runtime/runtime.json',
    });
  });

  it('takes options before variables before defaults, relative to the working directory', () => {
    const variables = {
      ...env,
      CALLSHEET_DATA: '/v',
      CALLSHEET_PORT: '7',
      CALLSHEET_TEMPLATES: '/t1:t2',
      CALLSHEET_BACKENDS: 'comfyui=http://a:1, sandbox',
    };
    const config = parseConfig({}, variables, '/project');
    expect(config).toMatchObject({ dataDir: '/v', port: 7 });
    expect(config.templateDirs.slice(0, 3)).toEqual(['/t1', '/project/t2', '/v/templates']);
    expect(config.backends.map(({ id }) => id)).toEqual(['comfyui', 'sandbox']);
    expect(parseConfig({ data: 'd', port: '8', roots: ['r'] }, variables, '/project')).toMatchObject({
      dataDir: '/project/d',
      port: 8,
      roots: ['/project/r', '/project', '/project/d/output'],
    });
  });

  it.each(['/', '/home/u'])('does not approve %s as a root only because one works there', (cwd) => {
    expect(parseConfig({}, env, cwd).roots).toEqual(['/home/u/.local/share/callsheet/output']);
  });

  it('never puts the sandbox beside a real backend by itself', () => {
    expect(parseConfig({ backends: ['comfyui=http://127.0.0.1:8188'] }, env, '/p').backends).toEqual([
      { id: 'comfyui', kind: 'comfyui', url: 'http://127.0.0.1:8188', headers: {}, pool: {} },
    ]);
  });

  it('numbers backends without a name and takes headers from the environment', () => {
    const variables = { ...env, CALLSHEET_HEADERS_FARM_2: '{"Authorization":"Bearer s"}' };
    const { backends } = parseConfig(
      { backends: ['comfyui=http://a', 'comfyui=https://b/base/', 'farm-2:comfyui=http://[::1]:1'] },
      variables,
      '/p',
    );
    expect(backends).toEqual([
      { id: 'comfyui', kind: 'comfyui', url: 'http://a', headers: {}, pool: {} },
      { id: 'comfyui-2', kind: 'comfyui', url: 'https://b/base', headers: {}, pool: {} },
      { id: 'farm-2', kind: 'comfyui', url: 'http://[::1]:1', headers: { Authorization: 'Bearer s' }, pool: {} },
    ]);
  });

  it.each([
    ['comfyui', 'not a URL'],
    ['comfyui=', 'not a URL'],
    ['comfyui=127.0.0.1:8188', 'http://'],
    ['comfyui=ftp://a', 'http://'],
    ['comfyui=file:///etc', 'http://'],
    ['comfyui=http://u:secret@a', 'user or password'],
    ['comfyui=http://a/?token=secret', 'query'],
    ['comfyui=http://169.254.169.254', 'link-local'],
    ['comfyui=http://0xa9fea9fe', 'link-local'],
    ['comfyui=http://[fe80::1]', 'link-local'],
    ['comfyui=http://[::ffff:169.254.169.254]', 'link-local'],
    ['sandbox=http://a', 'no address'],
    ['UP:sandbox', 'lower-case'],
    ['nope=http://a', 'not known'],
    ['', 'not known'],
  ])('[S23] refuses the backend "%s"', (text, part) => {
    const problems = problemsOf({ backends: [text] });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(part);
    expect(problems[0]?.replace('?token=secret', '')).not.toContain('secret');
  });

  it('reads options of the pool behind an address, also from a list with commas', () => {
    const text = 'a:comfyui=http://a,gpu=card-0,ahead=3,assume-lost-after=30m,b:comfyui=http://b,gpu=card-0 c:sandbox,ahead=1';
    expect(parseConfig({}, { ...env, CALLSHEET_BACKENDS: text, CALLSHEET_MAX_RUNS: '7' }, '/p').pool).toEqual({
      maxOpenRuns: 7,
      backends: { a: { gpu: 'card-0', ahead: 3, assumeLostAfterMs: 1_800_000 }, b: { gpu: 'card-0' }, c: { ahead: 1 } },
    });
  });

  it.each([
    ['gpu=', 'gpu must'],
    ['gpu=a b', 'gpu must'],
    ['ahead=0', 'ahead must'],
    ['ahead=1001', 'ahead must'],
    ['ahead=x', 'ahead must'],
    ['assume-lost-after=5', 'a time'],
    ['assume-lost-after=0s', 'a time'],
    ['assume-lost-after=1d', 'a time'],
  ])('refuses the option "%s"', (option, part) => {
    const problems = problemsOf({ backends: [`comfyui=http://a,${option}`] });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(part);
  });

  it('says every mistake at once', () => {
    const problems = problemsOf(
      { port: '99999', backends: ['x=1', 'a:sandbox', 'a:sandbox'] },
      { CALLSHEET_LOG_LEVEL: 'loud', CALLSHEET_GRACE_MS: '-1' },
    );
    expect(problems).toHaveLength(5);
  });

  it.each(['', ' ', '1.5', '-1', 'x', '65536', '0x10x'])('refuses the port "%s"', (port) => {
    expect(problemsOf({ port })).toHaveLength(1);
  });

  it('refuses headers that are no object of strings', () => {
    for (const text of ['x', '[]', '{"a":1}', '{"a":"b\\r\\nX: y"}']) {
      expect(problemsOf({ backends: ['comfyui=http://a'] }, { CALLSHEET_HEADERS_COMFYUI: text })).toHaveLength(1);
    }
  });
});
