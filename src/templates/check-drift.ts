/** Drift: what became of the node classes of a template since it was locked, and whether that breaks its graphs. */
import { type ClassChange, classChanges } from '#graph/class-drift.ts';
import { type InputSchema, schemaHash, schemaOf } from '#graph/class-schema.ts';
import { constantOf, isAmong, pythonFloat, pythonInt } from '#graph/input-values.ts';
import { createLineIndex, pointerOf } from '#graph/json.ts';
import { typesFit } from '#graph/link-types.ts';
import type { ObjectInfo } from '#graph/node-classes.ts';
import type { GraphNode, JsonValue } from '#graph/types.ts';
import type { Problem } from '#protocol/problem.ts';
import type { ClassLock } from './class-lock.ts';
import { siteKey } from './compile-workflow.ts';
import type { CompiledStep, CompiledTemplate, Site } from './compiled.ts';
import { driftWords } from './drift-words.ts';
import { choiceValues } from './parameter-schema.ts';

export interface DriftOptions {
  /** Turns the name of a workflow file into what problems call it. */
  readonly file: (name: string) => string;
  /** The graph was made of another file, whose lines it does not have. */
  readonly isMade?: boolean;
}

/**
 * One problem for each change of a class and each step that uses it: a warning where it breaks the graph or changes what comes
 * out, else a note. What a server refuses because of it is an error of the check against the same object info, under its own code.
 */
export function checkDrift(
  template: CompiledTemplate,
  lock: ClassLock,
  info: ObjectInfo,
  { file, isMade = false }: DriftOptions,
): Problem[] {
  const problems: Problem[] = [];
  const changed = changesOf(lock, info);
  if (changed.size === 0) return problems;
  const since = lock.comfyui === undefined ? 'since the template was locked' : `since ComfyUI ${lock.comfyui}`;
  for (const step of template.steps) {
    if (step.backend === 'wan2gp') continue;
    const lines = createLineIndex(step.graph.text);
    const byClass = Map.groupBy(step.graph.nodes.values(), ({ classType }) => classType);
    for (const [name, nodes] of byClass) {
      for (const change of changed.get(name) ?? []) {
        const hit = nodes.filter((node) => breaks(change, node, { template, step, info, lock }));
        const first = hit[0] ?? nodes[0];
        if (first === undefined) continue;
        const input = 'input' in change ? first.inputs.get(change.input) : undefined;
        const at = lines.positionOf(input?.value.start ?? first.at.start);
        const pointer = pointerOf(input === undefined ? [first.id] : [first.id, 'inputs', input.name]);
        problems.push({
          ...driftWords(change, name, since, hit),
          severity: hit.length > 0 ? 'warning' : 'info',
          file: file(step.workflow),
          ...(isMade ? {} : { ...at, pointer }),
          node: first.id,
          ...('input' in change ? { input: change.input } : {}),
          step: step.id,
        });
      }
    }
  }
  return problems;
}

// --- helpers ---

const seen = new WeakMap<ClassLock, WeakMap<ObjectInfo, ReadonlyMap<string, readonly ClassChange[]>>>();

function changesOf(lock: ClassLock, info: ObjectInfo): ReadonlyMap<string, readonly ClassChange[]> {
  const ofLock = seen.get(lock) ?? new WeakMap<ObjectInfo, ReadonlyMap<string, readonly ClassChange[]>>();
  seen.set(lock, ofLock);
  const known = ofLock.get(info);
  if (known !== undefined) return known;
  const found = new Map<string, readonly ClassChange[]>();
  for (const [name, { hash, schema }] of lock.classes) {
    const nodeClass = info.classes.get(name);
    const now = nodeClass === undefined ? undefined : schemaOf(nodeClass);
    if (now !== undefined && schemaHash(now) === hash) continue;
    const changes = classChanges(schema, now);
    if (changes.length > 0) found.set(name, changes);
  }
  ofLock.set(info, found);
  return found;
}

interface Around {
  readonly template: CompiledTemplate;
  readonly step: CompiledStep;
  readonly info: ObjectInfo;
  readonly lock: ClassLock;
}

/** Whether this node of the graph depends on what changed. */
function breaks(change: ClassChange, node: GraphNode, around: Around): boolean {
  const site =
    'input' in change ? around.step.sites.find((one) => siteKey(one.node, one.input) === siteKey(node.id, change.input)) : undefined;
  const given = 'input' in change ? node.inputs.get(change.input) : undefined;
  const isGiven = site !== undefined || given !== undefined;
  switch (change.kind) {
    case 'class-gone':
      return true;
    case 'input-gone':
    case 'input-renamed':
      // Dynamic inputs are flattened: `images.image0` belongs to `images`.
      return isGiven || [...node.inputs.keys()].some((name) => name.startsWith(`${change.input}.`));
    case 'input-added':
      return change.now.required && change.now.dynamic === undefined && !isGiven;
    case 'input-type':
      if (given?.link !== undefined) return !linkFits(given.link.node, given.link.slot, change.now, around);
      return site === undefined
        ? given !== undefined && !valueFits(constantOf(given.value), change.now)
        : !isLenient(change.was, change.now);
    case 'range':
      if (given?.link !== undefined) return false;
      return site === undefined
        ? given !== undefined && !valueFits(constantOf(given.value), change.now)
        : reachesOut(site, change.now, around);
    case 'choices-gone': {
      if (site !== undefined) return choicesOf(site, around).some((value) => isAmong(value, change.choices));
      return given !== undefined && given.link === undefined && isAmong(constantOf(given.value), change.choices);
    }
    case 'default':
      return !isGiven;
    case 'output':
      return usesSlot(around.step, node.id, change.slot);
    case 'output-added':
      return false;
    default:
      return !change.now && !feedsOthers(around.step, node.id);
  }
}

function linkFits(from: string, slot: number, now: InputSchema, { step, info }: Around): boolean {
  const source = info.classes.get(step.graph.nodes.get(from)?.classType ?? '')?.outputs[slot];
  return source !== undefined && typesFit(source.type, now.type);
}

function valueFits(value: JsonValue, { type, min, max, choices }: InputSchema): boolean {
  if (type === 'STRING' || type === 'BOOLEAN') return true;
  if (type === 'COMBO') return choices === undefined || isAmong(value, choices);
  if (type !== 'INT' && type !== 'FLOAT') return false;
  const number = type === 'INT' ? pythonInt(value) : pythonFloat(value);
  if (number === undefined) return false;
  return !(isNumber(min) && number < min) && !(isNumber(max) && number > max);
}

/** Every value of the one type is taken where the other is wanted. */
function isLenient(was: InputSchema, now: InputSchema): boolean {
  const isNumeric = (type: string): boolean => type === 'INT' || type === 'FLOAT';
  return now.type === 'STRING' || now.type === 'BOOLEAN' || (isNumeric(was.type) && isNumeric(now.type));
}

function parameterOf({ pieces }: Site, { template }: Around) {
  const [only] = pieces;
  const path = pieces.length === 1 && typeof only === 'object' ? only.whole?.alternatives[0]?.path : undefined;
  return path?.length === 1 ? template.parameters.get(path[0] ?? '') : undefined;
}

/** The parameter lets through what the input takes no more. */
function reachesOut(site: Site, { min, max }: InputSchema, around: Around): boolean {
  const parameter = parameterOf(site, around);
  if (parameter === undefined) return false;
  const { type, minimum = type === 'seed' ? 0 : undefined, maximum = type === 'seed' ? 2n ** 64n - 1n : undefined } = parameter;
  return (isNumber(min) && (minimum === undefined || minimum < min)) || (isNumber(max) && (maximum === undefined || maximum > max));
}

function choicesOf(site: Site, around: Around): readonly (string | number)[] {
  const parameter = parameterOf(site, around);
  return parameter?.type === 'choice'
    ? choiceValues(parameter).filter((value) => typeof value === 'string' || typeof value === 'number')
    : [];
}

function usesSlot({ graph }: CompiledStep, id: string, slot: number): boolean {
  return [...graph.nodes.values()].some(({ inputs }) => [...inputs.values()].some(({ link }) => link?.node === id && link.slot === slot));
}

function feedsOthers({ graph }: CompiledStep, id: string): boolean {
  return [...graph.nodes.values()].some(({ inputs }) => [...inputs.values()].some(({ link }) => link?.node === id));
}

function isNumber(value: JsonValue | undefined): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}
