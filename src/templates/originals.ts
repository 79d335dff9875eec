/** The author's files in UI format beside graphs in API format: by their names, as `templates new`, import and export write them. */
import { isUiWorkflow } from './convert-workflows.ts';
import { MAX_WORKFLOW_BYTES } from './source-files.ts';

/** Where the file may lie that `workflow` was made of; none is read that is a workflow of the template itself. */
export function originalNames(workflow: string, workflows: ReadonlySet<string>): readonly string[] {
  const stem = workflow.replace(/\.json$/i, '');
  const names = stem.endsWith('.api')
    ? [`${stem.slice(0, -4)}.json`, `${stem.slice(0, -4)}.ui.json`]
    : [`${stem}.ui.json`, `${stem}.original.ui.json`];
  return names.filter((name) => !workflows.has(name));
}

type Read = (name: string, most: number) => { readonly text: string } | { readonly problem: unknown } | undefined;

/** Workflow → text of the first that is there and in UI format. One that cannot be read is as none: nothing depends on it. */
export function readOriginals(workflows: readonly (readonly [name: string, text: string])[], read: Read): Readonly<Record<string, string>> {
  const own = new Set(workflows.map(([name]) => name));
  const found: Record<string, string> = {};
  for (const [name] of workflows) {
    for (const candidate of originalNames(name, own)) {
      const file = read(candidate, MAX_WORKFLOW_BYTES);
      if (file === undefined || 'problem' in file || !isUiWorkflow(file.text)) continue;
      found[name] = file.text;
      break;
    }
  }
  return found;
}
