/** `callsheet templates`: what can be asked for, one template in full, and the exact graphs that parameters lead to. */
import { resolve } from 'node:path';
import type { TemplateDetail, TemplateRenderResult } from '#protocol/methods/template.ts';
import { isBlocking } from '#protocol/problem.ts';
import type { TemplateSummary } from '#protocol/views.ts';
import { backendOption, chooseBackend } from '../choose-backend.ts';
import { type Arguments, type Command, DATA_OPTION, JSON_OPTION, UsageError } from '../command.ts';
import { approveTemplate, demandFile, exportTemplate, importTemplate, printContents } from '../exchange-templates.ts';
import { formatTable, safeText } from '../format.ts';
import { givenParameters, PARAMETER_OPTIONS } from '../given-parameters.ts';
import { EXIT, type Io, jsonLine, line } from '../io.ts';
import { migrateTemplates } from '../migrate-templates.ts';
import { openSession } from '../open-session.ts';
import { newTemplate } from '../new-template.ts';
import { noMorePositionals, onePositional, subcommand } from '../parse-arguments.ts';
import { printProblems } from '../report-error.ts';
import type { Session } from '../session.ts';
import { printForm } from '../template-form.ts';
import { printSavings } from '../savings-text.ts';
import { demandTemplate } from '../template-names.ts';
import { uploadMedia } from '../upload-media.ts';

const ACTIONS = ['list', 'show', 'render', 'new', 'migrate', 'import', 'approve', 'export'] as const;

export const templatesCommand: Command = {
  name: 'templates',
  summary:
    'Lists templates, shows one, renders the graphs that parameters lead to, makes new ones, migrates, imports, approves and exports.',
  usage: [
    'templates [list]',
    'templates show ID',
    'templates render ID [-p NAME=VALUE]… [--backend ID]',
    'templates new ID [--from FILE] [--object-info FILE | --backend ID] [--out DIR]',
    'templates migrate [--write] [PATH|ID…] [--object-info FILE | --backend ID]',
    'templates import FILE [--id ID] [--object-info FILE | --backend ID]',
    'templates approve ID[@VERSION] [--hash HASH]',
    'templates export ID[@VERSION] --out FILE',
  ],
  options: {
    ...PARAMETER_OPTIONS,
    templates: { type: 'string', multiple: true, value: 'DIR', help: 'a directory of templates besides the ones shipped' },
    id: { type: 'string', value: 'ID', help: 'import: id of the template that is made' },
    from: { type: 'string', value: 'FILE', help: 'new: the workflow or the Wan2GP settings to begin with' },
    'object-info': {
      type: 'string',
      value: 'FILE',
      help: 'new, import: node classes: bounds of parameters, and the way out of UI format; migrate: replaced ones',
    },
    write: { type: 'boolean', help: 'migrate: change the files; without it only what would change is shown' },
    backend: {
      type: 'string',
      value: 'ID',
      help: 'new, import, migrate: the same from a backend of the daemon (or comfyui=URL, or sandbox); render: whose node classes count (the first that answers)',
    },
    hash: { type: 'string', value: 'HASH', help: 'approve: only this very content' },
    out: {
      type: 'string',
      value: 'PATH',
      help: 'export: the file to write, e.g. name.callsheet; new: the directory (default: your templates)',
    },
    ...JSON_OPTION,
    ...DATA_OPTION,
  },
  notes: [
    'FILE is a *.callsheet bundle, a workflow as JSON, or a picture, film, sound or model with a workflow inside. What is imported does not run before it is approved.',
  ],

  async run(args, io) {
    const action = subcommand(args, ACTIONS, 'list');
    if (action === 'migrate') return migrateTemplates(args, io);
    if (args.flag('write')) throw new UsageError('Option --write belongs to templates migrate.');
    if (action === 'list') noMorePositionals(args, 1);
    const id = action === 'list' ? '' : onePositional(args, action === 'import' ? 'FILE' : 'the ID of a template', 1);
    if (action === 'new') return newTemplate(id, args, io);
    const file = action === 'import' ? demandFile(id, io) : '';
    // What these two write has to last.
    const scratch = action !== 'import' && action !== 'approve';
    const own = action === 'render' ? (backendOption(args)?.own ?? []) : [];
    const templates = args.texts('templates').map((dir) => resolve(io.cwd, dir));
    const session = await openSession(args, io, { templates, scratch, backends: own });
    try {
      if (action === 'list') return await list(session, args, io);
      if (action === 'import') return await importTemplate(session, file, args, io);
      if (action === 'approve') return await approveTemplate(session, id, args, io);
      if (action === 'export') return await exportTemplate(session, id, args, io);
      const template = await demandTemplate(session, id);
      return action === 'show' ? show(template, args, io) : await render(session, template, args, io);
    } finally {
      await session.close();
    }
  },
};

// --- helpers ---

async function list(session: Session, args: Arguments, io: Io): Promise<number> {
  const { templates } = await session.client.call('template/list');
  if (args.flag('json')) jsonLine(io.out, { templates });
  else io.out.write(templates.length === 0 ? 'There are no templates.\n' : templateTable(templates));
  return EXIT.done;
}

function templateTable(templates: readonly TemplateSummary[]): string {
  const rows = templates.map((one) => [
    one.id,
    one.version,
    one.category,
    String(one.steps.length),
    one.runnable ? 'yes' : one.approval === 'pending' ? 'no (not approved)' : `no (${one.problems} problems)`,
    safeText(one.title),
  ]);
  return formatTable(['ID', 'VERSION', 'CATEGORY', 'STEPS', 'RUNNABLE', 'TITLE'], rows);
}

function show(template: TemplateDetail, args: Arguments, io: Io): number {
  if (args.flag('json')) {
    jsonLine(io.out, { template });
    return EXIT.done;
  }
  line(io.out, `${safeText(template.title)}  (${template.id} ${template.version}, ${template.category})`);
  if (template.description !== undefined) line(io.out, safeText(template.description));
  line(io.out, `path      ${safeText(template.path)}`);
  line(io.out, `runnable  ${template.runnable ? 'yes' : 'no'}`);
  if (template.approval !== undefined)
    line(io.out, `imported  ${template.approval === 'approved' ? 'approved' : 'not approved'}, hash ${template.hash}`);
  if (template.contents !== undefined) printContents(template.contents, io);
  line(io.out, 'steps');
  for (const step of template.steps) line(io.out, `  ${step.id}${step.title === undefined ? '' : `  ${safeText(step.title)}`}`);
  if (template.choices !== undefined) line(io.out, 'choices');
  for (const { into, after, title } of template.choices ?? [])
    line(io.out, `  ${into} after ${after}${title === undefined ? '' : `  ${safeText(title)}`}`);
  printForm(template, io);
  printProblems(template.problems, io);
  return EXIT.done;
}

async function render(session: Session, template: TemplateDetail, args: Arguments, io: Io): Promise<number> {
  const given = givenParameters(args, template.parameters, io.cwd);
  const parameters = await uploadMedia(given, template.parameters, session);
  const backend = await chooseBackend(session, backendOption(args));
  const result = await session.client.call('template/render', {
    id: template.id,
    version: template.version,
    parameters,
    ...(backend === undefined ? {} : { backend }),
  });
  if (args.flag('json')) jsonLine(io.out, result);
  else for (const step of result.steps) printStep(step, io);
  printProblems(result.problems, io);
  return result.problems.some(isBlocking) ? EXIT.failed : EXIT.done;
}

/** The workflow's text as it is: parsing it here could spoil 64-bit integers. */
function printStep(step: TemplateRenderResult['steps'][number], io: Io): void {
  const item = step.item > 0 ? ` item ${step.item}` : '';
  line(io.out, `// ${step.id}${item} on ${step.backend}${step.reason === undefined ? '' : `: ${safeText(step.reason)}`}`);
  for (const done of [...(step.replaced ?? []), ...(step.patches ?? [])]) line(io.out, `//   ${safeText(done)}`);
  if (step.workflow !== undefined) line(io.out, step.workflow.trimEnd());
  if (step.optimised === undefined) return;
  line(io.out, `// ${step.id}${item} as it is sent, optimised`);
  printSavings(step.savings ?? [], io, '//   ');
  line(io.out, step.optimised.trimEnd());
}
