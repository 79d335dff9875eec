/** Whether a backend satisfies a step: one answer for the library, the door of runs and whoever routes steps. Pure. */
import { isCustom } from '#graph/links.ts';
import { modelFolder, nearestModel } from '#graph/models.ts';
import type { InputSpec, ObjectInfo } from '#graph/node-classes.ts';
import { modelAdvice, packAdvice } from '#graph/sources.ts';
import { replacementOf } from '#graph/replacements.ts';
import { createSuggester } from '#graph/suggest.ts';
import { isBlocking, type Problem } from '#protocol/problem.ts';
import { lackOfModel, lackOfNode, versionLack } from './check-requires.ts';
import { hasFile } from './file-needs.ts';
import { healAmong } from './heal.ts';
import type { ClassNeed, ModelNeed, Spot, StepNeeds, TemplateNeeds } from './needs.ts';
import { tellReplacedClass } from './replacement-words.ts';
import type { Values } from './types.ts';

/** What a backend said of itself. What it did not say is not judged. */
export interface BackendOffer {
  readonly id: string;
  /** Undefined when it could not be asked, or has no node classes. */
  readonly info?: ObjectInfo | undefined;
  /** Of ComfyUI, as the server says it. */
  readonly version?: string | undefined;
  /** Bytes of its largest graphics card; 0 when it computes without one. */
  readonly vram?: number | undefined;
  /** False: it is on another machine, and nobody has allowed that files are sent there. */
  readonly takesFiles?: boolean | undefined;
}

export interface Fit {
  /**
   * `lacks`: the backend would refuse the step, and an error says why. `unknown`: nothing speaks against it, but it could not
   * be asked for its node classes. Warnings never keep a step from a backend.
   */
  readonly verdict: 'fits' | 'lacks' | 'unknown';
  /** Each names the backend and the step; `file` is the name of a workflow file or `template.json`. */
  readonly problems: readonly Problem[];
}

/**
 * Expects a backend of a kind that takes the step. With `values`, the parameters of a run, the models that they name count too.
 * A step without node classes (Wan2GP) fits.
 */
export function stepFits(needs: TemplateNeeds, step: StepNeeds, offer: BackendOffer, values: Values = {}): Fit {
  if (step.backend === 'wan2gp') return { verdict: 'fits', problems: [] };
  const { info } = offer;
  const problems = [
    ...versionProblems(needs, offer),
    ...(info === undefined ? [] : [...classProblems(needs, step, info, offer.id), ...modelProblems(needs, step, info, offer.id, values)]),
    ...memoryProblems(needs, offer),
    ...fileProblems(step, offer, values),
  ].map((found) => ({ ...found, step: step.id }));
  if (problems.some(isBlocking)) return { verdict: 'lacks', problems };
  return { verdict: info === undefined ? 'unknown' : 'fits', problems };
}

// --- helpers ---

function at(spot: Spot, found: Pick<Problem, 'code' | 'severity' | 'message' | 'hint' | 'parameter'>): Problem {
  return { ...found, ...spot };
}

function versionProblems({ comfyui }: TemplateNeeds, { id, version }: BackendOffer): Problem[] {
  const lack = comfyui === undefined || version === undefined ? undefined : versionLack('comfyui', comfyui.range, version, id);
  return comfyui === undefined || lack === undefined ? [] : [at(comfyui.spot, lack)];
}

function classProblems(needs: TemplateNeeds, step: StepNeeds, info: ObjectInfo, id: string): Problem[] {
  const { classes } = info;
  const absent = step.classes.filter(({ name }) => !classes.has(name));
  const lacking = absent.filter(({ name }) => replacementOf(name, info) === undefined);
  const required = needs.nodes.filter(({ name }) => !classes.has(name) && replacementOf(name, info) === undefined);
  const replaced = absent.flatMap(({ name, spot }) => {
    const replacement = replacementOf(name, info);
    return replacement === undefined ? [] : [at(spot, tellReplacedClass(replacement, `backend '${id}'`))];
  });
  if (lacking.length === 0 && required.length === 0) return replaced;
  const suggest = createSuggester(classes.keys());
  const unknown = ({ name, pack, spot }: ClassNeed): Problem => {
    const suggestion = suggest(name);
    const install = pack === undefined ? 'Install the node pack that brings this class, or replace the node.' : packAdvice(pack);
    const hint = suggestion === undefined ? install : `Did you mean "${suggestion}"? If not: ${install}`;
    const message = `The workflow uses the node class "${name}", which backend '${id}' does not have.`;
    return at(spot, { code: 'NODE_CLASS_UNKNOWN', severity: 'error', message, hint });
  };
  return [
    ...replaced,
    ...lacking.map(unknown),
    ...required.map(({ name, pack, spot }) => at(spot, lackOfNode(name, pack, `backend '${id}'`))),
  ];
}

function modelProblems(needs: TemplateNeeds, step: StepNeeds, info: ObjectInfo, id: string, values: Values): Problem[] {
  const problems: Problem[] = [];
  for (const need of step.models) {
    const spec = info.classes.get(need.classType)?.inputs.get(need.input);
    const names = spec === undefined ? undefined : bindingChoices(spec);
    const isUsed = need.feeds.some((name) => info.classes.get(name)?.outputNode !== false);
    const name = need.name ?? chosen(values, need.parameter);
    if (names === undefined || name === undefined || !isUsed || isThere(name, names, need)) continue;
    problems.push(at(need.spot, missingModel(need, name, names, info, id)));
  }
  for (const model of needs.models) {
    const lack = lackOfModel(model, info, `backend '${id}'`);
    if (lack !== undefined) problems.push(at(model.spot, lack));
  }
  return problems;
}

function missingModel(need: ModelNeed, name: string, names: readonly string[], info: ObjectInfo, id: string) {
  const nodeClass = info.classes.get(need.classType);
  const near = nearestModel(name, names);
  const advice = modelAdvice(name, need.source, modelFolder(need.classType, need.input));
  return {
    code: 'MODEL_MISSING',
    // A custom node may bring its own check in the place of the list.
    severity: nodeClass !== undefined && isCustom(nodeClass) ? 'warning' : 'error',
    message: `Input "${need.input}" of node ${need.spot.node ?? ''} (${need.classType}) takes ${name}, a model that backend '${id}' does not have.`,
    hint: near === undefined ? advice : `Did you mean "${near}"? If not: ${advice}`,
    ...(need.parameter === undefined ? {} : { parameter: need.parameter }),
  } as const;
}

/** Names that a server insists on; undefined for lists that do not bind. */
function bindingChoices({ choices, options }: InputSpec): readonly string[] | undefined {
  const isOpen = options['multiselect'] === true || 'remote' in options || 'remote_combo' in options;
  const isUpload = Object.keys(options).some((key) => key.endsWith('_upload') && options[key] === true);
  if (choices === undefined || isOpen || isUpload) return undefined;
  const names = choices.filter((choice) => typeof choice === 'string');
  return names.length === choices.length ? names : undefined;
}

/** What stands in a graph is compared letter by letter; the value of a parameter takes the backend's spelling. */
function isThere(name: string, names: readonly string[], { parameter }: ModelNeed): boolean {
  return parameter === undefined ? names.includes(name) : healAmong(names, name) !== undefined;
}

function chosen(values: Values, parameter: string | undefined): string | undefined {
  const value = parameter === undefined ? undefined : values[parameter];
  return typeof value === 'string' ? value : undefined;
}

/** ComfyUI moves what does not fit into the main memory, so that less works too, slower: a warning. */
function memoryProblems({ vram }: TemplateNeeds, { id, vram: has }: BackendOffer): Problem[] {
  if (vram === undefined || has === undefined || has >= vram.bytes) return [];
  const wanted = `The template asks for ${gigabytes(vram.bytes)} of graphics memory`;
  const message =
    has === 0
      ? `${wanted}, and backend '${id}' computes without a graphics card.`
      : `${wanted}, and backend '${id}' has ${gigabytes(has)}.`;
  const hint = 'It may run slowly or fail for want of memory: use another backend, or smaller sizes.';
  return [at(vram.spot, { code: 'TEMPLATE_REQUIRES_VRAM', severity: 'warning', message, hint })];
}

/** What is drawn here stays here until a person says otherwise. */
function fileProblems({ id, files }: StepNeeds, { id: backend, takesFiles }: BackendOffer, values: Values): Problem[] {
  const [first] = takesFiles === false ? files.filter((need) => hasFile(need, values)) : [];
  if (first === undefined) return [];
  const { parameter } = first;
  const what = parameter === undefined ? 'files of other steps' : `the files of parameter '${parameter}'`;
  return [
    {
      code: 'CONSENT_NEEDED',
      severity: 'error',
      message: `Step '${id}' would send ${what} to backend '${backend}', which is another machine, and nobody has allowed that.`,
      hint: `Allow it once: callsheet backends allow ${backend}`,
      ...(parameter === undefined ? {} : { parameter }),
    },
  ];
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1).replace(/\.0$/, '')} GB`;
}
