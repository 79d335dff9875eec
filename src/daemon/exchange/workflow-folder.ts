/** Makes the files of a template folder out of a workflow: the manifest that adoption gives, the graph, and the UI file it came from. */
import { parseGraph } from '#graph/graph.ts';
import type { ObjectInfo } from '#graph/object-info.ts';
import { isBlocking, type Problem } from '#protocol/problem.ts';
import { adopt, idOf } from '#templates/adopt.ts';
import { CLASS_LOCK_FILE, classLockText, lockClasses } from '#templates/class-lock.ts';
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

/** Types and bounds of parameters come from it; `isNeeded` where there is no template without it, so that it is waited for. */
export type AskForInfo = (isNeeded: boolean) => Promise<{ readonly info: ObjectInfo; readonly infoName: string } | undefined>;

export interface FolderOptions {
  /** Name of the file, for the title and, without `id`, the id. */
  readonly name: string;
  /** Valid. */
  readonly id: string | undefined;
  readonly objectInfo: AskForInfo;
}

export const IMPORTED_VERSION = '1.0.0';

export async function folderOfWorkflow(found: WorkflowIn, { name, id, objectInfo }: FolderOptions): Promise<FolderFiles> {
  const format = found.api !== undefined ? 'api' : found.wan2gp !== undefined ? 'wan2gp' : 'ui';
  const text = found.api ?? found.wan2gp ?? found.ui ?? '';
  const info = format === 'wan2gp' ? undefined : await objectInfo(format === 'ui');
  if (format === 'ui' && info === undefined) return { files: undefined, problems: [needsObjectInfo(name)], format };
  const stem = stemOf(name, id);
  const workflow = `${stem}.json`;
  const adopted = adopt(text, workflow, name, { ...info, suggest: true });
  const fields = { id: id ?? stem, version: IMPORTED_VERSION, title: titleFrom(name, stem), category: 'imported' };
  const manifest = adopted.manifest === undefined ? undefined : changeManifest(adopted.manifest, { fields });
  if (manifest === undefined || adopted.problems.some(isBlocking)) return { files: undefined, problems: adopted.problems, format };
  const files = new Map([
    [MANIFEST_FILE, manifest],
    [workflow, adopted.workflow],
  ]);
  if (found.ui !== undefined) files.set(`${stem}.ui.json`, found.ui);
  const { graph } = info === undefined ? {} : parseGraph(adopted.workflow);
  if (info !== undefined && graph !== undefined) {
    const lock = lockClasses(
      [...graph.nodes.values()].map(({ classType }) => classType),
      info.info,
    );
    if (lock.classes.size > 0) files.set(CLASS_LOCK_FILE, classLockText(lock));
  }
  return { files, problems: adopted.problems, format };
}

// --- helpers ---

function needsObjectInfo(file: string): Problem {
  const message = 'The workflow is in UI format, and converting it needs to know the node classes of a ComfyUI.';
  const hint = 'Start ComfyUI and name it with --backend, or give what it says about its nodes with --object-info FILE.';
  return { code: 'IMPORT_NEEDS_OBJECT_INFO', severity: 'error', message, hint, file };
}

/** What people called the file, without its ending. */
export function titleFrom(name: string, stem: string): string {
  const title = name
    .replace(/\.[A-Za-z0-9]{1,10}$/, '')
    .replaceAll(/\p{C}/gu, '')
    .trim()
    .slice(0, 200);
  return title === '' ? stem : title;
}

/** A name that is a file on every system and an id at once. */
export function stemOf(name: string, id: string | undefined): string {
  const wanted = id ?? idOf(`${name.replace(/\.[A-Za-z0-9]{1,10}$/, '')}.json`);
  if (wanted === '') return 'imported-workflow';
  const stem = wanted.slice(0, 64);
  return refuseWorkflowPath(`${stem}.json`) === undefined && stem !== 'template' ? stem : `${stem.slice(0, 55)}-workflow`;
}
