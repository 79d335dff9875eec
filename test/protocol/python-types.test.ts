import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ERRORS } from '#protocol/errors.ts';
import { METHODS } from '#protocol/methods/index.ts';
import { NOTIFICATIONS } from '#protocol/notifications.ts';
import type { ObjectSchema } from '#protocol/schema.ts';
import { pythonTypes } from '../../scripts/protocol/python-types.ts';

const file = fileURLToPath(new URL('../../examples/python/callsheet_protocol.py', import.meta.url));

function canPython(): boolean {
  try {
    execFileSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 10))'], { stdio: 'ignore' });
    return true;
  } catch {
    console.warn('SKIPPED: the types for Python can not be imported: this machine has no python3 of version 3.10 or later');
    return false;
  }
}

/** What a Python that has imported the module prints as JSON. */
function ask(expression: string): unknown {
  const program = `import json, typing, callsheet_protocol as c\nprint(json.dumps(${expression}))`;
  const text = execFileSync('python3', ['-W', 'error', '-B', '-c', program], { cwd: dirname(file), encoding: 'utf8' });
  return JSON.parse(text);
}

describe('the types for Python', () => {
  it('are those of the schemas', () => {
    expect(readFileSync(file, 'utf8')).toBe(pythonTypes());
  });

  it('use nothing that Python 3.10 lacks', () => {
    expect(readFileSync(file, 'utf8')).not.toMatch(/NotRequired|\bRequired\b|^type |\bSelf\b|TypeAlias|ReadOnly/m);
  });

  it.skipIf(!canPython())('are imported, with the methods, their scopes, and which params must be there', () => {
    expect(
      ask('{"methods": list(typing.get_args(c.MethodName)), "errors": list(typing.get_args(c.ErrorCode)), "notices": list(c.NOTICES)}'),
    ).toMatchObject({
      methods: Object.keys(METHODS),
      errors: Object.keys(ERRORS),
      notices: expect.arrayContaining(Object.keys(NOTIFICATIONS)),
    });
    expect(ask('c.SCOPES')).toEqual(Object.fromEntries(Object.values(METHODS).map(({ name, scope }) => [name, scope])));
    const names = Object.values(METHODS).map(({ name, params }) => {
      const { properties = {}, required = [] } = params.json as ObjectSchema;
      const cls = `${name
        .split(/\W+/)
        .map((part) => `${part[0]?.toUpperCase() ?? ''}${part.slice(1)}`)
        .join('')}Params`;
      return {
        cls,
        required: [...required].toSorted(),
        optional: Object.keys(properties)
          .filter((one) => !required.includes(one))
          .toSorted(),
      };
    });
    const classes = JSON.stringify(names.map(({ cls }) => cls));
    expect(
      ask(
        `[{"cls": n, "required": sorted(getattr(c, n).__required_keys__), "optional": sorted(getattr(c, n).__optional_keys__)} for n in ${classes}]`,
      ),
    ).toEqual(names);
  });
});
