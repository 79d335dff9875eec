/** What a template needs of the backends that take its steps, as plain data: classes, models, versions, memory. Made once, judged often. */
import { createLineIndex, parseJson } from '#graph/json.ts';
import { isModelFile } from '#graph/models.ts';
import { mergeSources, type ModelSource, modelKey, type PackSource, sourcesOf, type Sources } from '#graph/sources.ts';
import type { Graph, GraphNode, JsonNode } from '#graph/types.ts';
import { requiredModels, requiredSources } from './check-requires.ts';
import { MANIFEST_FILE } from './compile.ts';
import { siteKey } from './compile-workflow.ts';
import type { CompiledStep, CompiledTemplate, Site } from './compiled.ts';
import { type FileNeed, fileNeeds } from './file-needs.ts';
import { nodeAt, type Path, pointerOf } from './locate.ts';
import { replaceable } from './patch-step.ts';

/** `file` is the name of a workflow file, or `template.json`; lines are left out where they would be those of another file. */
export interface Spot {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  readonly pointer?: string;
  readonly node?: string;
  readonly input?: string;
}

export interface ClassNeed {
  readonly name: string;
  readonly pack?: PackSource;
  readonly spot: Spot;
}

/** A model file that a loader of the graph names, or that a parameter will name. */
export interface ModelNeed {
  readonly classType: string;
  readonly input: string;
  /** Exactly as the graph has it: a server compares letter by letter. */
  readonly name?: string;
  /** In place of `name`: the `model` parameter whose value goes in, brought into the backend's spelling. */
  readonly parameter?: string;
  /** Classes of the node and of all that it feeds: a server looks only at what feeds an output. */
  readonly feeds: readonly string[];
  readonly source?: ModelSource;
  readonly spot: Spot;
}

export interface StepNeeds {
  readonly id: string;
  readonly backend: CompiledStep['backend'];
  /** It has a `when`: whether it runs at all is only known with values. */
  readonly conditional: boolean;
  readonly classes: readonly ClassNeed[];
  readonly models: readonly ModelNeed[];
  readonly files: readonly FileNeed[];
}

/** An entry of `requires.models`; it may be the value of a parameter, or never be used. */
export interface RequiredModel {
  readonly name: string;
  readonly folder?: string;
  readonly url?: string;
  readonly spot: Spot;
}

export interface TemplateNeeds {
  /** Ranges of versions that can be read. */
  readonly callsheet?: { readonly range: string; readonly spot: Spot };
  readonly comfyui?: { readonly range: string; readonly spot: Spot };
  /** Outputs that ffmpeg converts; the place of the first. */
  readonly converter?: { readonly outputs: readonly string[]; readonly spot: Spot };
  /** Bytes of graphics memory. */
  readonly vram?: { readonly bytes: number; readonly spot: Spot };
  /** Of `requires`, as far as no graph of the template uses it: those are needs of their steps. */
  readonly nodes: readonly ClassNeed[];
  readonly models: readonly RequiredModel[];
  readonly steps: readonly StepNeeds[];
}

const made = new WeakMap<CompiledTemplate, TemplateNeeds>();

/** `original` is the text of the file in UI format that an adopted template was made of: it names packs and models. */
export function needsOf(template: CompiledTemplate, original?: string): TemplateNeeds {
  const known = made.get(template);
  if (known !== undefined) return known;
  const { manifest, source } = template;
  const sources = requiredSources(manifest);
  const steps = template.steps.map((step) => {
    const said = uiSources(original ?? source.workflows[step.workflow]);
    return stepNeeds(template, step, mergeSources(sources, said));
  });
  const used = new Set(steps.flatMap(({ classes }) => classes.map(({ name }) => name)));
  const named = new Set(steps.flatMap(({ models }) => models.flatMap(({ name }) => (name === undefined ? [] : [modelKey(name)]))));
  const at = spotsOf(MANIFEST_FILE, source.manifest, parseJson(source.manifest).root);
  const { callsheet, comfyui, vram, nodes } = manifest.requires ?? {};
  const converted = [...template.outputs].flatMap(([name, { needsFfmpeg }]) => (needsFfmpeg ? [name] : []));
  const [firstConverted] = converted;
  const needs: TemplateNeeds = {
    ...(typeof callsheet === 'string' ? { callsheet: { range: callsheet, spot: at(['requires', 'callsheet']) } } : {}),
    ...(typeof comfyui === 'string' ? { comfyui: { range: comfyui, spot: at(['requires', 'comfyui']) } } : {}),
    ...(typeof vram === 'number' && vram > 0 ? { vram: { bytes: vram, spot: at(['requires', 'vram']) } } : {}),
    ...(firstConverted === undefined ? {} : { converter: { outputs: converted, spot: at(['outputs', firstConverted, 'convert']) } }),
    nodes: Object.keys(typeof nodes === 'object' && nodes !== null ? nodes : {})
      .filter((name) => !used.has(name))
      .map((name) => classNeed(name, sources, at(['requires', 'nodes', name], true))),
    models: requiredModels(manifest.requires ?? {})
      .filter(({ name }) => !named.has(modelKey(name)))
      .map(({ index, ...model }) => ({ ...model, spot: at(['requires', 'models', index]) })),
    steps,
  };
  made.set(template, needs);
  return needs;
}

// --- helpers ---

function stepNeeds(template: CompiledTemplate, step: CompiledStep, sources: Sources): StepNeeds {
  const { id, backend, graph, workflow } = step;
  const conditional = step.when !== undefined;
  const files = fileNeeds(template, step);
  if (backend === 'wan2gp') return { id, backend, conditional, classes: [], models: [], files };
  const at = spotsOf(workflow, graph.text, graph.root);
  const classes = new Map<string, ClassNeed>();
  const models: ModelNeed[] = [];
  const sites = new Map(step.sites.map((site) => [siteKey(site.node, site.input), site]));
  const feeds = feederOf(graph);
  // Whether these are in the graph at all is only known with values, and checked then.
  const uncertain = replaceable(step);
  for (const node of graph.nodes.values()) {
    if (uncertain.has(node.id)) continue;
    if (!classes.has(node.classType)) {
      const spot = { ...at([node.id, 'class_type']), node: node.id };
      classes.set(node.classType, classNeed(node.classType, sources, spot));
    }
    for (const { name: input, value } of node.inputs.values()) {
      if (sites.has(siteKey(node.id, input)) || value.kind !== 'string' || !isModelFile(value.value)) continue;
      const source = sources.models.get(modelKey(value.value));
      const spot = { ...at([node.id, 'inputs', input]), node: node.id, input };
      const rest = { feeds: feeds(node), ...(source === undefined ? {} : { source }), spot };
      models.push({ classType: node.classType, input, name: value.value, ...rest });
    }
  }
  for (const site of sites.values()) {
    const parameter = modelParameter(template, site);
    const node = graph.nodes.get(site.node);
    if (parameter === undefined || node === undefined || uncertain.has(node.id)) continue;
    const spot = { ...site.place, file: workflow, node: site.node, input: site.input };
    models.push({ classType: site.classType, input: site.input, parameter, feeds: feeds(node), spot });
  }
  return { id, backend, conditional, classes: [...classes.values()], models, files };
}

/** The parameter whose value fills the input as a whole and names a model. */
function modelParameter({ parameters }: CompiledTemplate, { pieces }: Site): string | undefined {
  const [only] = pieces;
  const whole = pieces.length === 1 && typeof only === 'object' ? only.whole : undefined;
  const [reference] = whole?.alternatives ?? [];
  const [name] = reference?.path ?? [];
  if (name === undefined || reference?.path.length !== 1 || reference.at !== undefined || whole?.filters.length !== 0) return undefined;
  const definition = parameters.get(name);
  return whole.alternatives.length === 1 && definition?.type === 'model' && definition.weighted !== true ? name : undefined;
}

function classNeed(name: string, { packs }: Sources, spot: Spot): ClassNeed {
  const pack = packs.get(name);
  return pack === undefined ? { name, spot } : { name, pack, spot };
}

/** A workflow in UI format says which packs and models it was saved with. */
function uiSources(text: string | undefined): Sources {
  const root = text?.includes('"nodes"') === true ? parseJson(text).root : undefined;
  return root === undefined ? { packs: new Map(), models: new Map() } : sourcesOf(root);
}

/** Classes of a node and of everything that it feeds. */
function feederOf(graph: Graph): (node: GraphNode) => readonly string[] {
  const takers = new Map<string, GraphNode[]>();
  for (const node of graph.nodes.values()) {
    for (const { link } of node.inputs.values()) {
      if (link === undefined) continue;
      const known = takers.get(link.node);
      if (known === undefined) takers.set(link.node, [node]);
      else known.push(node);
    }
  }
  return (start) => {
    const seen = new Set([start]);
    for (const node of seen) for (const taker of takers.get(node.id) ?? []) seen.add(taker);
    return [...new Set([...seen].map(({ classType }) => classType))];
  };
}

function spotsOf(file: string, text: string, root: JsonNode | undefined): (path: Path, key?: boolean) => Spot {
  const lines = createLineIndex(text);
  return (path, key = false) => ({
    file,
    ...lines.positionOf(root === undefined ? 0 : nodeAt(root, path, key).start),
    pointer: pointerOf(path),
  });
}
