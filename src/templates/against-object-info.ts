/** A compiled template against the object info of a server: what the server would refuse, as far as it can be known before values are. */
import { checkAgainstObjectInfo, type ObjectInfo } from '#graph/object-info.ts';
import type { Problem } from '#protocol/problem.ts';
import type { CompiledTemplate } from './compiled.ts';

/** `file` turns the name of a workflow file into what problems call it. */
export function checkTemplateAgainst(template: CompiledTemplate, info: ObjectInfo, file: (workflow: string) => string): Problem[] {
  return template.steps
    .filter((step) => step.backend !== 'wan2gp')
    .flatMap((step) => {
      // An input that is written when the step is rendered holds nothing yet that could be judged.
      const written = new Set(step.sites.map((site) => `${site.node}\n${site.input}`));
      return checkAgainstObjectInfo(step.graph, info, { file: file(step.workflow) })
        .filter((problem) => !written.has(`${problem.node ?? ''}\n${problem.input ?? ''}`))
        .map((problem) => ({ ...problem, step: step.id }));
    });
}
