/** A template by the name a person typed, with a suggestion when there is none. */
import { CallsheetError } from '#protocol/errors.ts';
import type { TemplateDetail } from '#protocol/methods/template.ts';
import { UsageError } from './command.ts';
import { suggestion } from './parse-arguments.ts';
import type { Session } from './session.ts';

/** `id` or `id@version`. Throws UsageError when the library has none. */
export async function demandTemplate(session: Session, name: string): Promise<TemplateDetail> {
  const [id = '', version] = name.split('@', 2);
  try {
    const { template } = await session.client.call('template/get', { id, ...(version === undefined ? {} : { version }) });
    return template;
  } catch (error) {
    if (!(error instanceof CallsheetError) || (error.code !== 'TEMPLATE_NOT_FOUND' && error.code !== 'INVALID_PARAMS')) throw error;
    const { templates } = await session.client.call('template/list');
    const names = [...new Set(templates.map((one) => one.id))];
    if (version !== undefined && names.includes(id)) {
      const versions = new Set(templates.filter((one) => one.id === id).map((one) => one.version));
      throw new UsageError(`Template "${id}" has no version ${version}; there is ${[...versions].join(', ')}.`);
    }
    throw new UsageError(`Unknown template "${id}". ${suggestion(id, names)}`);
  }
}
