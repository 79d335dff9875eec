/** A compiled template against the object info of a server: what the server would refuse, as far as it can be known before values are. */
import { detectFormat } from '#graph/graph.ts';
import { parseJson } from '#graph/json.ts';
import { checkAgainstObjectInfo, type ObjectInfo } from '#graph/object-info.ts';
import type { PlaceBack } from '#graph/rewrite.ts';
import { mergeSources, modelKey, NO_SOURCES, type Sources, sourcesOf } from '#graph/sources.ts';
import type { Problem } from '#protocol/problem.ts';
import { checkOutputs } from './check-outputs.ts';
import { checkPatches } from './check-patches.ts';
import { checkRequired, checkVersions, requiredSources, type Versions } from './check-requires.ts';
import { checkSites } from './check-sites.ts';
import { MANIFEST_FILE } from './compile.ts';
import { siteKey } from './compile-workflow.ts';
import type { CompiledStep, CompiledTemplate } from './compiled.ts';
import { migrateManifest } from './migrate-format.ts';
import type { Located } from './locate.ts';
import { currentTemplate } from './replace-in-template.ts';
import type { TemplateSource } from './types.ts';

export interface ServerFacts {
  /** The object info was asked of a running server just now. */
  readonly live?: boolean;
  /** Text of the file in UI format that an adopted template was made of: it names packs and models, and lines of the graph are not lines of it. */
  readonly original?: string | undefined;
}

/** Versions that the template asks for, of Callsheet and, where a server was asked, of ComfyUI. */
export function checkTemplateVersions(
  { manifest, source }: CompiledTemplate,
  versions: Versions,
  file: (name: string) => string,
): Problem[] {
  const located = manifestOf(source, file(MANIFEST_FILE));
  return located === undefined ? [] : checkVersions(manifest, versions, located.where).map(located.placeBack);
}

/** `file` turns the name of a workflow file, or `template.json`, into what problems call it. */
export function checkTemplateAgainst(
  template: CompiledTemplate,
  info: ObjectInfo,
  file: (name: string) => string,
  { live = false, original }: ServerFacts = {},
): Problem[] {
  const { manifest, source } = template;
  const located = manifestOf(source, file(MANIFEST_FILE));
  if (located === undefined) return [];
  const { where, placeBack } = located;
  const required = requiredSources(manifest);
  const current = currentTemplate(template, info);
  const steps = current.template.steps.filter((step) => step.backend !== 'wan2gp');
  const found = steps.flatMap((step) => {
    const sources = mergeSources(required, workflowSources(original ?? source.workflows[step.workflow]));
    const at = manifest.steps.findIndex(({ id }) => id === step.id);
    const problems = [
      ...checkGraph(step, info, file(step.workflow), live, sources).map(current.placeBack(step.id)),
      ...checkSites(current.template, step, info, sources),
      ...checkPatches(current.template, step, info).map((problem) => (problem.file === where.file ? placeBack(problem) : problem)),
      ...checkOutputs(step, at, info, where).map(placeBack),
    ];
    return problems.map((problem) => ({ ...problem, step: step.id }));
  });
  const reported = { classes: new Set<string>(), models: new Set<string>() };
  for (const { code, step: id, node, input, parameter } of found) {
    const graphNode = steps.find((step) => step.id === id)?.graph.nodes.get(node ?? '');
    const value = graphNode?.inputs.get(input ?? '')?.value;
    if (code === 'NODE_CLASS_UNKNOWN' && graphNode !== undefined) reported.classes.add(graphNode.classType);
    const preset = parameter === undefined ? undefined : template.parameters.get(parameter)?.default;
    if (code === 'MODEL_MISSING' && typeof preset === 'string') reported.models.add(modelKey(preset));
    else if (code === 'MODEL_MISSING' && value?.kind === 'string') reported.models.add(modelKey(value.value));
  }
  const replaced = current.problems.map((problem) => ({ ...problem, file: file(problem.file ?? '') }));
  const all = once([...checkRequired(manifest, info, where, reported).map(placeBack), ...replaced, ...found]);
  return original === undefined ? all : all.map(({ line: _line, column: _column, pointer: _pointer, ...problem }) => problem);
}

/** The manifest as it is compiled, and the way back into the author's text. */
function manifestOf({ manifest }: TemplateSource, file: string): { where: Located; placeBack: PlaceBack } | undefined {
  const migrated = migrateManifest(manifest);
  const text = migrated?.text ?? manifest;
  const { root } = parseJson(text);
  return root === undefined ? undefined : { where: { file, text, root }, placeBack: migrated?.placeBack ?? ((problem) => problem) };
}

/** An input that is written when the step is rendered holds nothing yet that could be judged. */
function checkGraph(step: CompiledStep, info: ObjectInfo, file: string, live: boolean, sources: Sources): Problem[] {
  const written = new Set(step.sites.map((site) => siteKey(site.node, site.input)));
  return checkAgainstObjectInfo(step.graph, info, { file, live, sources }).filter(
    ({ node = '', input = '' }) => !written.has(siteKey(node, input)),
  );
}

/** A workflow in UI format says which packs and models it was saved with. */
function workflowSources(text: string | undefined): Sources {
  const root = text?.includes('"nodes"') === true ? parseJson(text).root : undefined;
  return root !== undefined && detectFormat(root) === 'ui' ? sourcesOf(root) : NO_SOURCES;
}

/** A workflow that several steps use has its problems once. */
function once(problems: readonly Problem[]): Problem[] {
  const seen = new Set<string>();
  return problems.filter(({ code, file, pointer, message, input }) => {
    const key = JSON.stringify([code, file, pointer, message, input]);
    return !seen.has(key) && seen.add(key).size > 0;
  });
}
