/** Makes the files of a template folder out of a workflow: the manifest that adoption gives, the graph, and the UI file it came from. */
import { convertWorkflow } from '#graph/convert/convert.ts';
import type { ObjectInfo } from '#graph/object-info.ts';
import { isBlocking, type Problem } from '#protocol/problem.ts';
import { adopt, idOf } from '#templates/adopt.ts';
import { MANIFEST_FILE } from '#templates/compile.ts';
import { changeManifest } from '#templates/with-defaults.ts';
import { refuseWorkflowPath } from '#templates/workflow-paths.ts';
import type { WorkflowIn } from './from-media.ts';

export interface FolderFiles {
  /** Undefined when a problem is an error. */
  readonly files: ReadonlyMap<string, string> | undefined;
  readonly problems: readonly Problem[];
  readonly format: 'api' | 'ui' | 'wan2gp';
}

export interface FolderOptions {
  /** Name of the file, for the title and, without `id`, the id. */
  readonly name: string;
  readonly id: string | undefined;
  /** Asked for only when a workflow in UI format has to be converted. */
  readonly objectInfo: () => Promise<ObjectInfo | undefined>;
}

export const IMPORTED_VERSION = '1.0.0';

export async function folderOfWorkflow(found: WorkflowIn, { name, id, objectInfo }: FolderOptions): Promise<FolderFiles> {
  const format = found.api !== undefined ? 'api' : found.wan2gp !== undefined ? 'wan2gp' : 'ui';
  const { text, problems } =
    format === 'ui' ? await convert(found.ui ?? '', name, objectInfo) : { text: found.api ?? found.wan2gp, problems: [] };
  if (text === undefined) return { files: undefined, problems, format };
  const stem = stemOf(name, id);
  const workflow = `${stem}.json`;
  const adopted = adopt(text, workflow, name);
  const all = [...problems, ...adopted.problems];
  const title = name
    .replace(/\.[A-Za-z0-9]{1,10}$/, '')
    .replaceAll(/\p{C}/gu, '')
    .trim()
    .slice(0, 200);
  const fields = { id: id ?? stem, version: IMPORTED_VERSION, title: title === '' ? stem : title, category: 'imported' };
  const manifest = adopted.manifest === undefined ? undefined : changeManifest(adopted.manifest, { fields });
  if (manifest === undefined || all.some(isBlocking)) return { files: undefined, problems: all, format };
  const files = new Map([
    [MANIFEST_FILE, manifest],
    [workflow, text],
  ]);
  if (found.ui !== undefined) files.set(`${stem}.ui.json`, found.ui);
  return { files, problems: all, format };
}

// --- helpers ---

async function convert(
  ui: string,
  file: string,
  objectInfo: FolderOptions['objectInfo'],
): Promise<{ readonly text: string | undefined; readonly problems: readonly Problem[] }> {
  const info = await objectInfo();
  if (info === undefined) {
    const message = 'The workflow is in UI format, and converting it needs to know the node classes of a ComfyUI.';
    const hint = 'Start ComfyUI and name it with --backend, or give what it says about its nodes with --object-info FILE.';
    return { text: undefined, problems: [{ code: 'IMPORT_NEEDS_OBJECT_INFO', severity: 'error', message, hint, file }] };
  }
  const { graph, problems } = convertWorkflow(ui, info, { file });
  return { text: graph, problems };
}

/** A name that is a file on every system and an id at once. */
function stemOf(name: string, id: string | undefined): string {
  const wanted = id ?? idOf(`${name.replace(/\.[A-Za-z0-9]{1,10}$/, '')}.json`);
  if (wanted === '') return 'imported-workflow';
  const stem = wanted.slice(0, 64);
  return refuseWorkflowPath(`${stem}.json`) === undefined && stem !== 'template' ? stem : `${stem.slice(0, 55)}-workflow`;
}
