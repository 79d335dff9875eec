/** Stands for a template whose content is lost: it names the steps that are known, and can be looked at but neither run nor exported. */
import type { TemplateSource } from '#templates/types.ts';

const PREFIX = 'unknown:';
const WORKFLOW = 'unknown.json';

/** True for the hash of a run's template when its content was lost. */
export function isStandIn(hash: string): boolean {
  return hash.startsWith(PREFIX);
}

/** Its own content under a hash of its own: the real template may come back under the real one. */
export function standIn(
  template: { readonly id: string; readonly version: string; readonly hash: string },
  steps: readonly string[],
): { readonly hash: string; readonly content: string } {
  const { id, version } = template;
  // Which steps are known differs from run to run.
  const hash = `${PREFIX}${template.hash}:${steps.join(',')}`;
  const manifest = JSON.stringify({ format: 1, id, version, title: id, steps: steps.map((step) => ({ id: step, workflow: WORKFLOW })) });
  const source: TemplateSource = { hash, manifest, workflows: { [WORKFLOW]: '{"1":{"class_type":"Unknown","inputs":{}}}' } };
  return { hash, content: JSON.stringify(source) };
}
