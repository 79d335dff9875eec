/** Which step may share the prompt of the one whose picture it takes, as far as the template says. Pure. */
import type { CompiledPatch, CompiledStep, CompiledTemplate } from './compiled.ts';
import type { Placeholder, Reference } from './grammar.ts';
import { placeholdersOf } from './plan.ts';

/** A picture of a step that is in the prompt already. */
export interface TakenOutput {
  readonly step: string;
  readonly output: string;
  /** The LoadImage of the next step that takes it. */
  readonly loader: string;
}

export interface NextStep {
  readonly id: string;
  readonly takes: readonly TakenOutput[];
}

/**
 * The next step for a prompt that holds `chain`: it follows from what is in there and what ended before its first step, takes nothing of it
 * but single pictures, each with a LoadImage, and nobody else waits for any of it: others would wait longer. Where nothing else could do
 * them meanwhile (`isAlone`), other steps may wait all the same.
 */
export function nextInPrompt(template: CompiledTemplate, chain: readonly string[], isAlone: boolean): NextStep | undefined {
  const waitsForIt = ({ waits }: { readonly waits: readonly string[] }) => waits.some((id) => chain.includes(id));
  if (template.choices.some(waitsForIt)) return undefined;
  const followers = template.steps.filter((step) => !chain.includes(step.id) && waitsForIt(step));
  if (followers.length > 1 && !isAlone) return undefined;
  const ended = new Set([...chain, ...endedBefore(template, chain)]);
  for (const step of followers) {
    const isFree = step.waits.every((id) => ended.has(id)) && step.fuse !== false && step.backend !== 'wan2gp' && step.each === undefined;
    const takes = isFree ? picturesTaken(template, step, chain) : [];
    if (takes.length > 0) return { id: step.id, takes };
  }
  return undefined;
}

// --- helpers ---

/** Everything that the first step waited for, and what that waited for. */
function endedBefore({ steps, choices }: CompiledTemplate, [first]: readonly string[]): ReadonlySet<string> {
  const waitsOf = new Map([
    ...steps.map(({ id, waits }) => [id, waits] as const),
    ...choices.map(({ into, waits }) => [`choices.${into}`, waits] as const),
  ]);
  const ended = new Set<string>();
  const open = [...(waitsOf.get(first ?? '') ?? [])];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (!ended.has(id)) open.push(...(waitsOf.get(id) ?? []));
    ended.add(id);
  }
  return ended;
}

/** Empty when it takes anything else of them, or looks at what they gave. */
function picturesTaken(template: CompiledTemplate, step: CompiledStep, chain: readonly string[]): readonly TakenOutput[] {
  const reads = ({ path: [root, name = ''] }: Reference) => root === 'steps' && chain.includes(name);
  const looks = (placeholder: Placeholder) => placeholder.alternatives.some(reads);
  const conditions = [step.when, ...step.patches.map(({ when }) => when)].flatMap((condition) => condition?.reads ?? []);
  if (conditions.some(([root, name = '']) => (root === 'steps' && chain.includes(name)) || root === 'backend')) return [];
  if (step.patches.flatMap(placeholdersIn).some(looks)) return [];
  const takes: TakenOutput[] = [];
  for (const site of step.sites) {
    if (!placeholdersOf(site).some(looks)) continue;
    const [piece] = site.pieces;
    const whole = site.pieces.length === 1 && typeof piece === 'object' ? piece.whole : undefined;
    const [reference] = whole?.alternatives ?? [];
    const isPlain = whole?.alternatives.length === 1 && whole.filters.length === 0 && reference?.at === undefined;
    const [, name = '', output = ''] = reference?.path ?? [];
    const giver = template.steps.find(({ id }) => id === name);
    if (!isPlain || site.classType !== 'LoadImage' || site.input !== 'image' || (giver?.outputs[output] ?? '*') === '*') return [];
    takes.push({ step: name, output, loader: site.node });
  }
  return takes;
}

function placeholdersIn(patch: CompiledPatch): readonly Placeholder[] {
  if (patch.kind === 'swap') return patch.sites.flatMap(placeholdersOf);
  if (patch.kind === 'bypass') return [];
  return [patch.from, ...(typeof patch.strength === 'object' ? [patch.strength] : [])];
}
