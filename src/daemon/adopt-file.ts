/** `template/adopt`: what a workflow file would become as a template, with the node classes of a backend. Writes nothing. */
import type { ObjectInfo } from '#graph/object-info.ts';
import type { TemplateAdoptParams, TemplateAdoptResult } from '#protocol/methods/template.ts';
import { adopt } from '#templates/adopt.ts';
import { MAX_WORKFLOW_BYTES, readTextFile } from '#templates/source-files.ts';
import type { Roots } from './roots.ts';

export interface AdoptParts {
  readonly roots: Pick<Roots, 'resolveMedia'>;
  /** Throws BACKEND_NOT_FOUND, BACKEND_UNREACHABLE. */
  readonly infoOf: (backend: string) => Promise<ObjectInfo | undefined>;
}

/** Throws PATH_NOT_ALLOWED, ASSET_NOT_FOUND, FILE_NOT_FOUND, BACKEND_NOT_FOUND, BACKEND_UNREACHABLE. */
export async function adoptFile(
  { roots, infoOf }: AdoptParts,
  { file, name, backend, suggest = false }: TemplateAdoptParams,
): Promise<TemplateAdoptResult> {
  const { path } = await roots.resolveMedia(file, 'file');
  const info = backend === undefined ? undefined : await infoOf(backend);
  const read = readTextFile(path, MAX_WORKFLOW_BYTES);
  if ('problem' in read) return { workflow: '', converted: false, problems: [{ ...read.problem, file: name }] };
  const infoName = backend === undefined ? undefined : `backend ${backend}`;
  const { manifest, workflow, converted, problems } = adopt(read.text, name, name, { info, infoName, suggest });
  return { ...(manifest === undefined ? {} : { manifest }), workflow, converted, problems };
}
