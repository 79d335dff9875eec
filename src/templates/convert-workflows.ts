/** Workflow files of a template folder that are in UI format: what they become when there is an object info at hand. */
import { convertWorkflow } from '#graph/convert/convert.ts';
import { detectFormat } from '#graph/graph.ts';
import { parseJson } from '#graph/json.ts';
import type { ObjectInfo } from '#graph/object-info.ts';
import type { Problem } from '#protocol/problem.ts';

export interface ConvertedWorkflows {
  /** API format where it could be had; a file that could not be converted is missing. */
  readonly workflows: readonly (readonly [name: string, text: string])[];
  /** Names of those that were converted, or could not be. */
  readonly converted: ReadonlySet<string>;
  readonly failed: ReadonlySet<string>;
  readonly problems: readonly Problem[];
}

/** Most files are in API format, and a search is much cheaper than a reading. */
export function isUiWorkflow(text: string): boolean {
  if (!/"nodes"\s*:/.test(text)) return false;
  const { root } = parseJson(text);
  return root !== undefined && detectFormat(root) === 'ui';
}

/** `file` is how problems call a workflow. The graphs are going to be run: values that do not fit their widgets are errors. */
export function convertWorkflows(
  workflows: readonly (readonly [name: string, text: string])[],
  info: ObjectInfo,
  file: (name: string) => string,
): ConvertedWorkflows {
  const converted = new Set<string>();
  const failed = new Set<string>();
  const problems: Problem[] = [];
  const made = workflows.flatMap(([name, text]): (readonly [string, string])[] => {
    if (!isUiWorkflow(text)) return [[name, text]];
    const { graph, problems: found } = convertWorkflow(text, info, { file: file(name), strict: true });
    problems.push(...found);
    converted.add(name);
    if (graph !== undefined) return [[name, graph]];
    failed.add(name);
    return [];
  });
  return { workflows: made, converted, failed, problems };
}
