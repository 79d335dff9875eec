/** `template/migrate`: what a migration would write, with the node classes of a backend and its own list of replaced ones. Writes nothing. */
import { resolve } from 'node:path';
import type { ObjectInfo } from '#graph/object-info.ts';
import type { TemplateMigrateParams, TemplateMigrateResult } from '#protocol/methods/template.ts';
import { planMigration } from '#templates/plan-migration.ts';
import type { Roots } from './roots.ts';

export interface PlanParts {
  readonly roots: Pick<Roots, 'resolvePath'>;
  readonly templateDirs: readonly string[];
  /** Throws BACKEND_NOT_FOUND, BACKEND_UNREACHABLE. */
  readonly infoOf: (backend: string) => Promise<ObjectInfo | undefined>;
}

/** Throws PATH_NOT_ALLOWED, FILE_NOT_FOUND, BACKEND_NOT_FOUND, BACKEND_UNREACHABLE. */
export async function planAtBackend(
  { roots, templateDirs, infoOf }: PlanParts,
  { path, backend }: TemplateMigrateParams,
): Promise<TemplateMigrateResult> {
  await roots.resolvePath(path, templateDirs);
  const info = await infoOf(backend);
  // By the name that was given: a file that is a link is refused by whoever writes.
  const { files, ...plan } = planMigration(resolve(path), { info });
  return { ...plan, files: files.map((file) => ({ ...file, content: file.content.toString('utf8') })) };
}
