/** Tools about templates. */
import { closed, described, integer, optional, string } from '#protocol/schema.ts';
import { safeText } from '../../format.ts';
import { problemLines } from '../answer.ts';
import { inputSchema } from '../input-schema.ts';
import { backendId } from '../run-options.ts';
import { READS, tool, type Tool } from '../tool.ts';
import type { ParametersSchema } from '#templates/parameter-schema.ts';

const template = described(string({ minLength: 1, maxLength: 64 }), 'Id of a template.');
const version = optional(described(string({ minLength: 1, maxLength: 64 }), 'Semantic version; the newest when absent.'));

const listTemplates = tool({
  name: 'list_templates',
  title: 'List templates',
  description: 'What can be asked for: every template, whether it can run now, and the tool that runs it.',
  annotations: READS,
  input: closed({
    search: optional(described(string({ maxLength: 200 }), 'Only those with this in id, title or category.')),
    limit: optional(described(integer({ minimum: 1, maximum: 1000 }), '100 when absent.')),
  }),
  async run({ search = '', limit = 100 }, { catalogue }) {
    const words = search.toLowerCase();
    const all = await catalogue.templates();
    const fitting = all.filter(({ id, title, category }) => `${id}\n${title}\n${category}`.toLowerCase().includes(words));
    const templates = fitting.slice(0, limit);
    const rest = fitting.length - templates.length;
    const lines = templates.map(({ id, version: number, title, category, runnable, problems, tool: name }) => {
      const state = runnable ? (name ?? 'start_run') : `cannot run, ${problems} problems: check_template`;
      return `${id} ${number}  ${safeText(title)} (${safeText(category)})  ${state}`;
    });
    if (rest > 0) lines.push(`and ${rest} more: name a search`);
    return { text: lines.length === 0 ? ['No template fits.'] : lines, data: { templates, inAll: fitting.length } };
  },
});

const describeTemplate = tool({
  name: 'describe_template',
  title: 'Describe a template',
  description:
    'Parameters of a template with their types, bounds and defaults, its steps and choices; with a backend also the models that are there.',
  annotations: READS,
  input: closed({ template, version, backend: backendId }),
  async run({ template: id, ...rest }, { link }) {
    const { template: detail } = await link.call('template/get', { id, ...rest });
    const schema = detail.schema as unknown as ParametersSchema;
    const parameters = inputSchema(schema);
    const models = Object.fromEntries(
      Object.entries(schema.properties).flatMap(([name, each]) => {
        const available = each['x-callsheet']?.available;
        return available === undefined ? [] : [[name, available]];
      }),
    );
    const { title, description, category, version: number, runnable, steps, choices, problems } = detail;
    const data = { id, version: number, title, description, category, runnable, parameters, models, steps, choices, problems };
    return {
      text: [
        `${id} ${number}: ${safeText(title)}${runnable ? '' : ' (cannot run)'}`,
        ...(description === undefined ? [] : [safeText(description)]),
        `steps: ${steps.map((step) => step.id).join(', ')}`,
        ...(choices ?? []).map(
          ({ into, after, title: question }) =>
            `choice ${into} after step ${after}${question === undefined ? '' : `: ${safeText(question)}`}`,
        ),
        `parameters: ${JSON.stringify(parameters)}`,
        ...Object.entries(models).map(([name, names]) => `models for ${name}: ${names.join(', ')}`),
        ...problemLines(problems),
      ],
      data,
    };
  },
});

const checkTemplate = tool({
  name: 'check_template',
  title: 'Check a template',
  description: 'Checks a template, or a file or folder below an approved root, like a compiler: every problem with its place and cure.',
  annotations: READS,
  input: closed({
    template: optional(template),
    version,
    path: optional(described(string({ minLength: 1, maxLength: 4096 }), 'Absolute path, instead of a template.')),
    backend: backendId,
  }),
  async run({ template: id, ...rest }, { link }) {
    const { files } = await link.call('template/check', { ...(id === undefined ? {} : { id }), ...rest });
    const lines = files.flatMap(({ path, ok, problems }) => [
      `${safeText(path)}: ${ok ? 'can run' : 'cannot run'}`,
      ...problemLines(problems),
    ]);
    return { text: lines.length === 0 ? ['Nothing was found to check.'] : lines, data: { files } };
  },
});

export const TEMPLATE_TOOLS: readonly Tool[] = [listTemplates, describeTemplate, checkTemplate];
