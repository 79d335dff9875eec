/** The key of one item on one backend: its graph as it would be sent, with files by their content, and what is known of the server. */
import type { Backend, InputFile, ServerFile } from '#backends/contract.ts';
import { parseGraph } from '#graph/graph.ts';
import { ancestorsOf } from '#graph/result-key/ancestors.ts';
import { type Fact, resultKey } from '#graph/result-key/key.ts';
import { type Reference, referencesOf } from '#graph/result-key/references.ts';
import { obstacleTo } from '#graph/result-key/repeatable.ts';
import { modelKey } from '#graph/sources.ts';
import type { ObjectInfo } from '#graph/node-classes.ts';
import type { Graph } from '#graph/types.ts';
import { isBlocking } from '#protocol/problem.ts';
import type { CompiledStep, CompiledTemplate } from '#templates/compiled.ts';
import { requiredModels } from '#templates/check-requires.ts';
import { renderStep, stepMedia, usesObjectInfo } from '#templates/render.ts';
import { currentTemplate } from '#templates/replace-in-template.ts';
import type { Scope } from '#templates/types.ts';
import type { RunMemory } from '../deps.ts';
import { asSent } from '../handed-on.ts';
import { wantsEmbedding } from '../keep-provenance.ts';
import type { PrepareInput } from '../logic.ts';
import { itemScope } from '../render-item.ts';
import type { BackendFacts, KeyedItem } from './contract.ts';

/** `why`: it can be neither kept nor taken, as a sentence for people. */
export type Keyed = { readonly keyed: KeyedItem } | { readonly why: string };

export interface KeyMaker {
  readonly facts: BackendFacts;
  /** Of Callsheet: the sandbox draws as its release does. */
  readonly version: string;
}

/** `scope` where it is not that of the item. Throws what rendering throws, and the signal's reason. */
export async function keyOf(
  { facts, version }: KeyMaker,
  memory: RunMemory,
  input: PrepareInput,
  backend: Backend,
  signal: AbortSignal,
  scope?: Scope,
): Promise<Keyed> {
  const known = await facts.of(backend, signal);
  if (known === undefined) return { why: `Backend '${backend.id}' has not said yet what it is.` };
  const { info, engine } = known;
  const template = currentTemplate(memory.template, info).template;
  const step = stepOf(template, input.step);
  const profile = input.profile === undefined ? {} : { profile: input.profile };
  const seen = scope ?? itemScope(memory, input, backend);
  const sent = await asSent(memory, stepMedia(memory.template, input.step, seen, input.profile), () => Promise.resolve(info));
  const { value, problems } = renderStep(template, input.step, seen, {
    mediaName: (media, place) => contentName(sent(media, place)),
    ...(usesObjectInfo(template, input.step) ? { objectInfo: info } : {}),
    ...profile,
  });
  const graph = value === undefined || problems.some(isBlocking) ? undefined : parseGraph(value.text).graph;
  if (value === undefined || graph === undefined) return { why: 'Its graph cannot be made without the backend.' };
  const { outputNodes } = value;
  const obstacle = obstacleTo(graph, info, { outputNodes, vouched: step.cache === true });
  if (obstacle !== undefined) return { why: obstacle.why };
  const references = outsideOf(graph, outputNodes, info);
  // In which folder a loader looks that is not ComfyUI's own nobody says.
  const files = references.map(fileOf).filter(({ folder }) => folder !== '');
  const { stamps, saidAt = known.saidAt } = files.length === 0 ? { stamps: [] } : await known.stamps(files);
  const stampOf = new Map(files.map((file, at) => [nameOf(file), stamps[at]]));
  const claims = claimsOf(memory.template);
  const keyed = resultKey(graph, {
    info,
    outputNodes,
    engine: engine['kind'] === 'sandbox' ? { ...engine, Callsheet: version } : engine,
    modelFact: (reference) => modelFact(stampOf.get(nameOf(fileOf(reference))), claims.get(modelKey(reference.name))),
    fileFact: (reference) => factOf(stampOf.get(nameOf(fileOf(reference)))),
    also: {
      ...(memory.options.optimize && step.optimize ? {} : { 'the optimiser': 'off' }),
      // What is kept are the files with it inside.
      ...(isEmbedded(memory, step) ? { 'the provenance inside the files': 'on' } : {}),
    },
  });
  const [doubt] = keyed.doubts;
  if (doubt !== undefined && step.cache !== true) return { why: `${capital(doubt)}, so that it may be another one by now.` };
  return { keyed: { ...keyed, backend, ...(saidAt === undefined ? {} : { saidAt }) } };
}

// --- helpers ---

/** As uploads are named, without sending any. */
function contentName({ sha256, name }: InputFile): string {
  const extension = /\.([A-Za-z0-9]{1,8})$/.exec(name)?.[1]?.toLowerCase();
  return `callsheet-${sha256.toLowerCase()}${extension === undefined ? '' : `.${extension}`}`;
}

function stepOf(template: CompiledTemplate, id: string): CompiledStep {
  const step = template.steps.find((one) => one.id === id);
  if (step === undefined) throw new RangeError(`Template "${template.id}" has no step "${id}".`);
  return step;
}

/** What the graph takes from the server, uploads of ours left out. */
function outsideOf(graph: Graph, outputNodes: readonly string[], info: ObjectInfo): readonly Reference[] {
  const needed = ancestorsOf(graph, outputNodes.length === 0 ? graph.nodes.keys() : outputNodes);
  return referencesOf(graph, info, needed).filter((reference) => reference.kind === 'model' || reference.sha256 === undefined);
}

function fileOf(reference: Reference): ServerFile {
  return { folder: reference.kind === 'file' ? 'input' : (reference.folder ?? ''), name: reference.name };
}

const nameOf = ({ folder, name }: ServerFile): string => `${folder}\n${name}`;

function factOf(stamp: string | undefined): Fact {
  return stamp === undefined ? { text: 'by its name alone', isSure: false } : { text: stamp, isSure: true };
}

/** The server's own word counts; the template's where it has none: then the template says which file is meant. */
function modelFact(stamp: string | undefined, claim: string | undefined): Fact {
  return stamp === undefined && claim !== undefined ? { text: claim, isSure: true } : factOf(stamp);
}

/** By `modelKey`: hashes that the template gives. */
function claimsOf({ manifest }: CompiledTemplate): ReadonlyMap<string, string> {
  return new Map(
    requiredModels(manifest.requires ?? {}).flatMap(({ name, sha256 }): [string, string][] =>
      sha256 === undefined ? [] : [[modelKey(name), `sha256 ${sha256}, as the template says`]],
    ),
  );
}

function isEmbedded(memory: RunMemory, { id, outputs }: CompiledStep): boolean {
  return ['*', ...Object.keys(outputs)].some((output) => wantsEmbedding(memory, id, output));
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
