/** Injection: puts a run's values into a step's workflow. Bytes that nothing was injected into come out as they went in. */
import { type GraphEdit, printGraph } from '#graph/graph.ts';
import type { ObjectInfo } from '#graph/object-info.ts';
import { printJson } from '#graph/values.ts';
import { isBlocking, type Problem } from '#protocol/problem.ts';
import { siteKey } from './compile-workflow.ts';
import { authorNode } from './author-node.ts';
import type { CompiledStep, CompiledTemplate, Site } from './compiled.ts';
import type { Placeholder, TextTemplate } from './grammar.ts';
import { healName } from './heal.ts';
import { mayBePatched, patchStep } from './patch-step.ts';
import { placeholdersOf, stepOf } from './plan.ts';
import { resolve, resolveFiltered } from './resolve.ts';
import { closest } from '#graph/suggest.ts';
import { namesOnly } from './weighted-scope.ts';
import { type Checked, isMedia, type MediaValue, type Scope, type Value } from './types.ts';

export { planStep } from './plan.ts';
export { renderOutputs } from './outputs.ts';

/** An input of a node, in the graph after patches. */
export interface MediaPlace {
  readonly classType: string;
  readonly input: string;
}

export interface RenderTools {
  /** What stands in the workflow for a file: the name under which it was uploaded, or its path. `place` where it is the whole of an input. */
  readonly mediaName: (media: MediaValue, place?: MediaPlace) => string;
  /** Of the backend that the step goes to: model names are brought into its spelling, and patches need it for the types of links. */
  readonly objectInfo?: ObjectInfo;
  /** `low`: with what the step's `lowMemory` sets; its own values where it has none. */
  readonly profile?: 'low';
}

export interface RenderedStep {
  readonly text: string;
  /** Nodes whose files the step declares; empty means every file. */
  readonly outputNodes: readonly string[];
  /** Output name → node id, or `*`. */
  readonly outputs: Readonly<Record<string, string>>;
  /** What patches did to the graph, for people. */
  readonly patches: readonly string[];
}

/** Files that this rendering puts into the workflow, each once. Problems are left to `renderStep`. */
export function stepMedia(template: CompiledTemplate, stepId: string, scope: Scope, profile?: 'low'): readonly MediaValue[] {
  const found = new Map<string, MediaValue>();
  const add = (value: Value): void => {
    if (Array.isArray(value)) (value as readonly Value[]).forEach(add);
    else if (isMedia(value)) found.set(`${value.sha256}\n${value.path}`, value);
  };
  for (const placeholder of sitesOf(stepOf(template, stepId), profile).flatMap(placeholdersOf)) {
    if (placeholder.filters.length > 0) continue;
    const resolved = resolve(placeholder, scope, template);
    if (resolved.kind === 'value') add(resolved.value);
  }
  return [...found.values()];
}

/** Whether rendering this step looks at the server: to bring names of models into its spelling, and for patches. */
export function usesObjectInfo(template: CompiledTemplate, stepId: string): boolean {
  const models = [...template.parameters.values()].some(({ type, of }) => type === 'model' || of === 'model');
  return models || mayBePatched(template, stepOf(template, stepId));
}

/** All problems at once; the value is set when none of them is an error. */
export function renderStep(template: CompiledTemplate, stepId: string, scope: Scope, tools: RenderTools): Checked<RenderedStep> {
  const original = stepOf(template, stepId);
  const patched = patchStep(
    template,
    { ...original, sites: sitesOf(original, tools.profile), lowMemory: undefined },
    scope,
    tools.objectInfo,
  );
  const { step } = patched;
  const problems: Problem[] = [...patched.problems];
  const edits: GraphEdit[] = [];
  const written = new Set<string>();
  const names = namesOnly(template, step, scope);
  // What `set` gives stands over the workflow's own placeholders; those count only where it gives nothing.
  for (const site of step.sites.toSorted((a, b) => Number(b.from === 'set') - Number(a.from === 'set'))) {
    if (written.has(siteKey(site.node, site.input))) continue;
    const report = reporter(problems, step, site);
    const json = renderSite(site, { template, step, scope: names, tools, report });
    if (json === LEFT_ALONE) {
      if (site.from === 'workflow') report('STEP_VALUE_NULL', ...leftOver(site));
      continue;
    }
    written.add(siteKey(site.node, site.input));
    if (json !== undefined) edits.push({ node: site.node, input: site.input, json });
  }
  if (problems.some(isBlocking)) return { value: undefined, problems };
  const nodes = Object.values(step.outputs);
  const outputNodes = nodes.includes('*') || step.backend === 'wan2gp' ? [] : standIns(original, step, new Set(nodes));
  const text = printGraph(step.graph, edits);
  return { value: { text, outputNodes, outputs: step.outputs, patches: patched.done }, problems };
}

/** The nodes themselves, or those that were put in for them. */
function standIns(original: CompiledStep, { graph }: CompiledStep, nodes: ReadonlySet<string>): readonly string[] {
  if (original.graph === graph) return [...nodes];
  return [...graph.nodes.keys()].filter((id) => nodes.has(authorNode(original.graph, id)));
}

function sitesOf(step: CompiledStep, profile: 'low' | undefined): readonly Site[] {
  return (profile === 'low' ? step.lowMemory : undefined) ?? step.sites;
}

type ReportAt = (code: string, message: string, hint: string, severity?: Problem['severity']) => void;

function reporter(problems: Problem[], step: CompiledStep, site: Site): ReportAt {
  const node = step.backend === 'wan2gp' ? {} : { node: site.node };
  return (code, message, hint, severity = 'error') => {
    problems.push({ code, severity, message, hint, ...site.place, ...node, input: site.input, step: step.id });
  };
}

function leftOver(site: Site): [string, string] {
  const message = `Input "${site.input}" has no value: the workflow holds only a placeholder, and its parameter is not given.`;
  return [message, 'Give the parameter, or give the placeholder something to fall back on with ??.'];
}

interface SiteContext {
  readonly template: CompiledTemplate;
  readonly step: CompiledStep;
  readonly scope: Scope;
  readonly tools: RenderTools;
  readonly report: ReportAt;
}

const LEFT_ALONE = Symbol('left alone');

/** The JSON text for the input; undefined after a problem. */
function renderSite(site: Site, context: SiteContext): string | typeof LEFT_ALONE | undefined {
  const [only] = site.pieces;
  if (site.pieces.length === 1 && typeof only === 'object') {
    if (only.whole === undefined) return renderText(only, site, context, true);
    const value = wholeValue(only.whole, context);
    if (value === undefined) return undefined;
    return value === null ? LEFT_ALONE : renderValue(value, site, context);
  }
  let json = '';
  for (const piece of site.pieces) {
    const part = typeof piece === 'string' ? piece : renderNested(piece, site, context);
    if (part === undefined) return undefined;
    json += part;
  }
  return site.from === 'set' && context.step.backend !== 'wan2gp' && json.startsWith('[') ? wrapped(json) : json;
}

/** ComfyUI takes every list in a declared input for a link and refuses it when it is none; this is how its front end writes a list. */
function wrapped(list: string): string {
  return `{"__value__":${list}}`;
}

function renderNested(template: TextTemplate, site: Site, context: SiteContext): string | undefined {
  if (template.whole === undefined) return renderText(template, site, context, false);
  const value = wholeValue(template.whole, context);
  return value === undefined ? undefined : printJson(plainValue(value, context.tools));
}

function wholeValue(placeholder: Placeholder, context: SiteContext): Value | undefined {
  const resolved = resolveFiltered(placeholder, context.scope, context.template);
  if (resolved.kind === 'value') return resolved.value;
  if (resolved.kind === 'problem') context.report(resolved.code, resolved.message, resolved.hint);
  if (resolved.kind === 'null' && resolved.skipped) return notRun(placeholder, resolved.reason, context);
  return resolved.kind === 'null' ? null : undefined;
}

/** `planStep` would have skipped the step; whoever renders it all the same is told why that cannot be. */
function notRun({ text }: Placeholder, reason: string, { report }: SiteContext): undefined {
  report('STEP_REFERENCE_MISSING', `${text} has no value: ${reason}.`, 'Write {a ?? b} to use something else then.');
}

function renderValue(value: Value, site: Site, context: SiteContext): string | undefined {
  const { report, step, tools } = context;
  if (Array.isArray(value) && step.backend !== 'wan2gp') {
    const items = value as readonly Value[];
    if (items.length === 0 || items.some(isMedia)) {
      const message =
        items.length === 0 ? 'There is no file for this input.' : `There are ${items.length} files for an input that takes one.`;
      report('STEP_VALUE_LIST', message, 'Take one with [0], or fan the step out with "each".');
      return undefined;
    }
    return wrapped(printJson(plainValue(items, tools)));
  }
  if (typeof value === 'string' && site.current?.kind === 'number' && /^#[0-9a-f]{6}/.test(value)) {
    return String(Number.parseInt(value.slice(1, 7), 16));
  }
  if (isMedia(value)) {
    const classType = step.backend === 'wan2gp' ? undefined : step.graph.nodes.get(site.node)?.classType;
    return printJson(tools.mediaName(value, classType === undefined ? undefined : { classType, input: site.input }));
  }
  const plain = plainValue(value, tools);
  return printJson(typeof plain === 'string' ? heal(plain, site, context) : plain);
}

function renderText(template: TextTemplate, site: Site, context: SiteContext, alone: boolean): string | undefined {
  let text = '';
  let broken = false;
  for (const part of template.parts) {
    const piece = typeof part === 'string' ? part : textOf(part, context);
    if (piece === undefined) broken = true;
    else text += piece;
  }
  if (broken) return undefined;
  const files = template.parts.some((part) => typeof part === 'object' && isFile(part, context));
  return printJson(alone && !files ? heal(text, site, context) : text);
}

function isFile(placeholder: Placeholder, { scope, template }: SiteContext): boolean {
  const resolved = resolve(placeholder, scope, template);
  return resolved.kind === 'value' && isMedia(resolved.value);
}

/** One value within a longer text. Null is nothing. */
function textOf(placeholder: Placeholder, context: SiteContext): string | undefined {
  const value = wholeValue(placeholder, context);
  if (value === undefined) return undefined;
  if (value === null) return '';
  if (isMedia(value)) return context.tools.mediaName(value);
  if (typeof value !== 'object') return String(value);
  const message = `${placeholder.text} is a list where one value belongs.`;
  context.report('STEP_VALUE_LIST', message, 'Take one item with [0], or fan the step out with "each".');
  return undefined;
}

function plainValue(value: Value, tools: RenderTools): Parameters<typeof printJson>[0] {
  if (isMedia(value)) return tools.mediaName(value);
  if (Array.isArray(value)) return (value as readonly Value[]).map((item) => plainValue(item, tools));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]): [string, Parameters<typeof printJson>[0]] => [key, plainValue(item, tools)]),
  );
}

function heal(name: string, site: Site, { tools, step, report }: SiteContext): string {
  if (tools.objectInfo === undefined || step.backend === 'wan2gp') return name;
  const healed = healName(tools.objectInfo, step.graph, site.node, site.input, name);
  if ('value' in healed) return healed.value;
  const near = closest(name, healed.unknown) ?? healed.unknown.find((choice) => choice.includes(name));
  const hint = near === undefined ? `It has ${healed.unknown.slice(0, 8).join(', ')}.` : `Did you mean "${near}"?`;
  report('STEP_MODEL_UNKNOWN', `The backend does not list "${name}" for input "${site.input}".`, hint, 'warning');
  return name;
}
