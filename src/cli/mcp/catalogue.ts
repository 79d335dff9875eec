/** The templates that can run now, each as a tool with the schema of its parameters; kept until the daemon says that one changed. */
import { createHash } from 'node:crypto';
import semver from 'semver';
import type { TemplateDetail } from '#protocol/methods/template.ts';
import type { JsonSchema } from '#protocol/schema.ts';
import type { TemplateSummary } from '#protocol/views.ts';
import type { ParametersSchema } from '#templates/parameter-schema.ts';
import type { DaemonLink } from './daemon-link.ts';
import { inputSchema } from './input-schema.ts';
import { RUN_OPTIONS } from './run-options.ts';

/** More tools than these are of no use to a model; the others are started by `start_run`. */
export const MAX_TEMPLATE_TOOLS = 64;

/** Names that every client and model takes: letters, digits, `_` and `-`, at most 64. */
const MAX_NAME = 64;

export interface TemplateTool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly template: string;
  readonly version: string;
  readonly inputSchema: JsonSchema;
  /** Name of the member that takes what concerns the run and not the template. */
  readonly optionsName: string;
}

export interface Catalogue {
  /** In the order of ids. Throws what the daemon answers. */
  tools(): Promise<readonly TemplateTool[]>;
  /** All templates as listed, with the tool of each that has one. */
  templates(): Promise<readonly (TemplateSummary & { readonly tool?: string })[]>;
}

export interface CatalogueOptions {
  /** Only these get a tool of their own; all when empty. */
  readonly only: ReadonlySet<string>;
  readonly say: (text: string) => void;
}

export function createCatalogue(link: DaemonLink, { only, say }: CatalogueOptions): Catalogue {
  let kept: Promise<readonly TemplateTool[]> | undefined;
  let listed: readonly TemplateSummary[] = [];
  link.listen({
    listed(what) {
      if (what === 'templates') kept = undefined;
    },
  });

  async function read(): Promise<readonly TemplateTool[]> {
    const { templates } = await link.call('template/list', {});
    listed = templates;
    const newest = newestRunnable(templates).filter(({ id }) => only.size === 0 || only.has(id));
    if (newest.length > MAX_TEMPLATE_TOOLS) {
      say(`${newest.length} templates can run; the first ${MAX_TEMPLATE_TOOLS} get a tool of their own. Choose them with --template ID.`);
    }
    const made: TemplateTool[] = [];
    for (const { id, version } of newest.slice(0, MAX_TEMPLATE_TOOLS)) {
      const { template } = await link.call('template/get', { id, version });
      made.push(toTool(template));
    }
    return made;
  }

  function tools(): Promise<readonly TemplateTool[]> {
    if (kept === undefined) {
      const reading = read();
      kept = reading;
      reading.catch(() => {
        if (kept === reading) kept = undefined;
      });
    }
    return kept;
  }

  return {
    tools,
    async templates() {
      const names = new Map((await tools()).map(({ name, template, version }) => [`${template}@${version}`, name]));
      return listed.map((summary) => {
        const tool = names.get(`${summary.id}@${summary.version}`);
        return { ...summary, ...(tool === undefined ? {} : { tool }) };
      });
    },
  };
}

/** `run_` and the id; a long one is cut and made unique by the beginning of its hash. */
export function toolName(id: string): string {
  const name = `run_${id}`;
  if (name.length <= MAX_NAME) return name;
  const hash = createHash('sha256').update(id).digest('hex').slice(0, 8);
  return `${name.slice(0, MAX_NAME - 9)}_${hash}`;
}

// --- helpers ---

function newestRunnable(templates: readonly TemplateSummary[]): readonly TemplateSummary[] {
  const newest = new Map<string, TemplateSummary>();
  for (const one of templates) {
    if (!one.runnable || one.approval === 'pending') continue;
    const known = newest.get(one.id);
    if (known === undefined || semver.gt(one.version, known.version)) newest.set(one.id, one);
  }
  return [...newest.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

function toTool({ id, version, title, description, schema, choices, steps }: TemplateDetail): TemplateTool {
  const parameters = inputSchema(schema as unknown as ParametersSchema);
  let optionsName = 'run_options';
  while (Object.hasOwn(parameters.properties, optionsName)) optionsName += '_';
  const asks = (choices ?? []).map((choice) => choice.title ?? choice.into);
  return {
    name: toolName(id),
    title,
    description: [
      description ?? `${title}.`,
      `Executes the template ${id} ${version} (${steps.length === 1 ? 'one step' : `${steps.length} steps`}) and gives its files.`,
      ...(asks.length === 0 ? [] : [`It stops to ask for a choice (${asks.join('; ')}): answer it with the tool choose.`]),
    ].join(' '),
    template: id,
    version,
    optionsName,
    inputSchema: { ...parameters, properties: { ...parameters.properties, [optionsName]: RUN_OPTIONS.json } },
  };
}
