/** Methods about templates. */
import { array, boolean, closed, integer, json, number, object, oneOf, optional, record, string } from '../schema.ts';
import type { Infer } from '../schema.ts';
import { method, progressToken, templateId, templateVersion } from './define.ts';
import { problem, saving, templateContents, templateSummary } from './views.ts';

const path = string({ minLength: 1, maxLength: 4096 });

export const templateList = method({
  name: 'template/list',
  scope: 'read',
  mutation: false,
  description: 'Every template that was found, broken ones included.',
  params: closed({}),
  result: object({ templates: array(templateSummary) }),
  errors: [],
});

export const templateGet = method({
  name: 'template/get',
  scope: 'read',
  mutation: false,
  description:
    'One template with its parameters, the schema to draw a form from, and its problems. With `backend` the schema lists the models that backend has; with `parameters`, the values so far, it says which parameters are hidden.',
  params: closed({
    id: templateId,
    version: templateVersion,
    backend: optional(string({ minLength: 1, maxLength: 64 })),
    parameters: optional(record(json())),
  }),
  result: object({
    template: object({
      id: string(),
      version: string(),
      title: string(),
      description: optional(string()),
      category: string(),
      hash: string(),
      /** Absolute path of its folder or file. */
      path: string(),
      kind: string(),
      runnable: boolean(),
      parameters: record(record(json())),
      /** JSON schema of the parameters, in our own subset. */
      schema: record(json()),
      steps: array(object({ id: string(), title: optional(string()), backend: optional(string()) })),
      /** Where a person is asked; absent when nowhere. */
      choices: optional(
        array(
          object({
            into: string(),
            after: string(),
            title: optional(string()),
            pick: object({ min: integer(), max: optional(integer()) }),
            timeoutSeconds: optional(number()),
            onTimeout: optional(oneOf(['first', 'fail', 'wait'])),
          }),
        ),
      ),
      problems: array(problem),
      /** Of an imported template, as the next one: whether a person approved this very content. */
      approval: optional(oneOf(['pending', 'approved'])),
      contents: optional(templateContents),
    }),
  }),
  errors: ['TEMPLATE_NOT_FOUND', 'BACKEND_NOT_FOUND', 'BACKEND_UNREACHABLE'],
});

export const templateCheck = method({
  name: 'template/check',
  scope: 'read',
  mutation: false,
  description: 'Checks a template of the library, or a file or folder under an approved root, like a compiler: all problems at once.',
  params: closed({
    id: optional(templateId),
    version: templateVersion,
    path: optional(path),
    backend: optional(string({ minLength: 1, maxLength: 64 })),
    progressToken,
  }),
  result: object({ files: array(object({ path: string(), ok: boolean(), problems: array(problem) })) }),
  errors: ['TEMPLATE_NOT_FOUND', 'PATH_NOT_ALLOWED', 'BACKEND_NOT_FOUND', 'BACKEND_UNREACHABLE'],
});

export const templateRender = method({
  name: 'template/render',
  scope: 'read',
  mutation: false,
  description:
    'Dry run: the exact graphs that the given parameters lead to on a backend, and what replaced node classes and `patch` did to them. Values that only a run can know stay references.',
  params: closed({
    id: templateId,
    version: templateVersion,
    parameters: optional(record(json())),
    /** Whose node classes and model names count; the first that answers when absent. */
    backend: optional(string({ minLength: 1, maxLength: 64 })),
  }),
  result: object({
    template: string(),
    version: string(),
    steps: array(
      object({
        id: string(),
        item: integer({ minimum: 0 }),
        backend: string(),
        /** JSON text of the workflow, exact: it may hold 64-bit integers. Absent when the step waits for other steps. */
        workflow: optional(string()),
        reason: optional(string()),
        /** Nodes of classes that the backend has others for, one sentence each; problems say what is another in each. */
        replaced: optional(array(string())),
        /** What `patch` and missing models did to the graph, one sentence each. */
        patches: optional(array(string())),
        /** What a run would send, where the optimiser makes less of the workflow; with what it takes out. */
        optimised: optional(string()),
        savings: optional(array(saving)),
      }),
    ),
    problems: array(problem),
  }),
  errors: [
    'TEMPLATE_NOT_FOUND',
    'TEMPLATE_NOT_RUNNABLE',
    'PARAMETERS_INVALID',
    'PATH_NOT_ALLOWED',
    'ASSET_NOT_FOUND',
    'BACKEND_NOT_FOUND',
    'BACKEND_UNREACHABLE',
  ],
});

export const templateMigrate = method({
  name: 'template/migrate',
  scope: 'read',
  mutation: false,
  description:
    'What a migration would write into the files of a template: its manifest in the format of today, its graphs with the node classes of a backend. Nothing is written.',
  params: closed({ path, backend: string({ minLength: 1, maxLength: 64 }) }),
  result: object({
    path: string(),
    /** The folder that the files lie in. */
    folder: string(),
    /** In the order in which they are to be written; `hash` is the sha256 of the bytes that were looked at. */
    files: array(object({ path: string(), hash: string(), content: string() })),
    problems: array(problem),
  }),
  errors: ['PATH_NOT_ALLOWED', 'FILE_NOT_FOUND', 'BACKEND_NOT_FOUND', 'BACKEND_UNREACHABLE'],
});

export const templateAdopt = method({
  name: 'template/adopt',
  scope: 'read',
  mutation: false,
  description:
    'What a workflow or Wan2GP settings would become as a template, with the node classes of a backend: the manifest, and the workflow that it runs. Nothing is written.',
  params: closed({
    file: path,
    name: string({ minLength: 1, maxLength: 255 }),
    backend: optional(string({ minLength: 1, maxLength: 64 })),
    /** Offers common inputs where the file names no parameters itself. */
    suggest: optional(boolean()),
  }),
  result: object({
    /** Text of template.json; absent when none can be made. */
    manifest: optional(string()),
    /** What its step runs: the file, or what a file in UI format was converted to. */
    workflow: string(),
    converted: boolean(),
    problems: array(problem),
  }),
  errors: ['PATH_NOT_ALLOWED', 'ASSET_NOT_FOUND', 'FILE_NOT_FOUND', 'BACKEND_NOT_FOUND', 'BACKEND_UNREACHABLE'],
});

export type TemplateAdoptParams = Infer<typeof templateAdopt.params>;
export type TemplateAdoptResult = Infer<typeof templateAdopt.result>;
export type TemplateMigrateParams = Infer<typeof templateMigrate.params>;
export type TemplateMigrateResult = Infer<typeof templateMigrate.result>;
export type TemplateGetParams = Infer<typeof templateGet.params>;
export type TemplateDetail = Infer<typeof templateGet.result>['template'];
export type TemplateCheckParams = Infer<typeof templateCheck.params>;
export type TemplateCheckResult = Infer<typeof templateCheck.result>;
export type TemplateRenderParams = Infer<typeof templateRender.params>;
export type TemplateRenderResult = Infer<typeof templateRender.result>;
