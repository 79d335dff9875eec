/** Methods that bring templates in from other people, approve them, and hand templates and runs out. */
import { array, boolean, closed, described, integer, object, oneOf, optional, string } from '../schema.ts';
import type { Infer } from '../schema.ts';
import { method, requestKey, runId, templateId, templateVersion } from './define.ts';
import { problem, templateContents } from './views.ts';

const fileGiven = string({ minLength: 1, maxLength: 4096 });
const newId = optional(
  described(string({ minLength: 1, maxLength: 64 }), 'Id of the template that is made; else the one it says, or one made of the name.'),
);

export const templateImport = method({
  name: 'template/import',
  scope: 'admin',
  mutation: true,
  description:
    'Makes a template of a file: a *.callsheet bundle, a workflow as JSON, or media with a workflow inside. It does not run before it is approved.',
  params: closed({
    file: described(fileGiven, '`asset:ID` of an upload, or the absolute path of a file under an approved root.'),
    name: optional(
      described(string({ minLength: 1, maxLength: 255 }), "The file's own name, for title and id; else that of the upload or path."),
    ),
    id: newId,
    backend: optional(
      described(
        string({ minLength: 1, maxLength: 64 }),
        'Whose node classes convert a workflow in UI format; else the first that answers.',
      ),
    ),
    objectInfo: optional(described(fileGiven, 'A saved object info in its place, given as `file` is.')),
    requestKey,
  }),
  result: object({
    template: object({
      id: string(),
      version: string(),
      title: string(),
      hash: string(),
      /** Absolute path of its folder. */
      path: string(),
      approval: oneOf(['pending', 'approved', 'own']),
      contents: templateContents,
    }),
    /** True when this very content was there already; nothing was written. */
    existing: boolean(),
    from: oneOf(['bundle', 'api', 'ui', 'wan2gp']),
    /** Warnings and notes; errors refuse the import. */
    problems: array(problem),
  }),
  errors: [
    'IMPORT_REFUSED',
    'TEMPLATE_EXISTS',
    'PATH_NOT_ALLOWED',
    'ASSET_NOT_FOUND',
    'FILE_NOT_FOUND',
    'BACKEND_NOT_FOUND',
    'BACKEND_UNREACHABLE',
    'REQUEST_KEY_CONFLICT',
    'STORAGE_FAILED',
    'STORAGE_BUSY',
  ],
});

export const templateApprove = method({
  name: 'template/approve',
  scope: 'admin',
  mutation: true,
  description: 'Lets an imported template run as it is now. `hash` is the one that was looked at; any change of the content asks again.',
  params: closed({
    id: templateId,
    version: string({ minLength: 1, maxLength: 64 }),
    hash: string({ minLength: 64, maxLength: 64 }),
    requestKey,
  }),
  result: object({ id: string(), version: string(), hash: string(), approval: oneOf(['approved', 'own']) }),
  errors: ['TEMPLATE_NOT_FOUND', 'TEMPLATE_CHANGED', 'TEMPLATE_NOT_RUNNABLE', 'REQUEST_KEY_CONFLICT', 'STORAGE_FAILED', 'STORAGE_BUSY'],
});

const exported = object({
  /** To be fetched from `GET /assets/{id}`; the sha256 of the bytes. */
  assetId: string(),
  /** A name for the file. */
  name: string(),
  bytes: integer({ minimum: 0 }),
  template: object({ id: string(), version: string(), hash: string() }),
  /** What was left out, and why. */
  problems: array(problem),
});

export const templateExport = method({
  name: 'template/export',
  scope: 'run',
  mutation: false,
  description: 'Packs a template into a *.callsheet bundle. The same content gives the same bytes.',
  params: closed({ id: templateId, version: templateVersion }),
  result: exported,
  errors: ['TEMPLATE_NOT_FOUND', 'TEMPLATE_NOT_RUNNABLE', 'EXPORT_REFUSED', 'STORAGE_FAILED', 'STORAGE_BUSY'],
});

export const runExport = method({
  name: 'run/export',
  scope: 'run',
  mutation: false,
  description:
    'Packs the template of a run that succeeded, with the values of the run as defaults; as a bundle also with provenance and lock.',
  params: closed({ runId, as: oneOf(['template', 'bundle']), id: newId }),
  result: exported,
  errors: ['RUN_NOT_FOUND', 'EXPORT_REFUSED', 'SNAPSHOT_REFUSED', 'STORAGE_FAILED', 'STORAGE_BUSY'],
});

export type TemplateContentsView = Infer<typeof templateContents>;
export type TemplateImportParams = Infer<typeof templateImport.params>;
export type TemplateImportResult = Infer<typeof templateImport.result>;
export type TemplateApproveParams = Infer<typeof templateApprove.params>;
export type TemplateApproveResult = Infer<typeof templateApprove.result>;
export type TemplateExportParams = Infer<typeof templateExport.params>;
export type RunExportParams = Infer<typeof runExport.params>;
export type ExportResult = Infer<typeof exported>;
