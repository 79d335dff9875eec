/** `--choose NAME=VALUE`: picks that a script gives before anybody can see the candidates. */
import { resolve } from 'node:path';
import type { TemplateDetail } from '#protocol/methods/template.ts';
import { type Arguments, type OptionTable, UsageError } from '../command.ts';
import { suggestion } from '../parse-arguments.ts';

export const CHOOSE_OPTION: OptionTable = {
  choose: {
    type: 'string',
    multiple: true,
    value: 'NAME=VALUE',
    help: 'makes a choice of the template without asking: index from 0, file name or text; once for each pick, NAME= for none',
  },
};

/** Choice → values. Throws UsageError. */
export function presetsOf(args: Arguments, { choices = [] }: Pick<TemplateDetail, 'choices'>): ReadonlyMap<string, readonly string[]> {
  const presets = new Map<string, readonly string[]>();
  for (const option of args.texts('choose')) {
    const at = option.indexOf('=');
    if (at < 1) throw new UsageError(`Option --choose needs NAME=VALUE, got "${option}".`);
    const [name, value] = [option.slice(0, at), option.slice(at + 1)];
    const names = choices.map(({ into }) => into);
    if (!names.includes(name)) {
      throw new UsageError(names.length === 0 ? 'The template has no choices.' : `Unknown choice "${name}". ${suggestion(name, names)}`);
    }
    presets.set(name, [...(presets.get(name) ?? []), ...(value === '' ? [] : [value])]);
  }
  return presets;
}

/** A name with a folder in it is a path from where the command was given. */
export function asValue(value: string, cwd: string): string {
  return value.startsWith('./') || value.startsWith('../') ? resolve(cwd, value) : value;
}
