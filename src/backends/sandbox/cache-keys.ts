/** Keys of the node cache, as ComfyUI makes them: a node's own signature and that of everything it depends on. */
import { createHash } from 'node:crypto';
import { isLink, isRecord, type JsonRecord, printJson } from './json.ts';
import type { Catalogue } from './nodes/catalogue.ts';
import type { Environment } from './nodes/define.ts';
import { definitionOf, inputsOf } from './prompt-nodes.ts';

/** One node without regard to who else is in the prompt. */
interface Signature {
  /** Class, fingerprint, constants. */
  readonly own: string;
  /** Linked inputs in order of their names. */
  readonly links: readonly (readonly [name: string, origin: string, slot: number])[];
}

/**
 * The key of every node of a prompt, also of those that no output needs. A link enters a key by the place of its origin among the ancestors, not
 * by the origin's id: renumbering changes nothing, and two equal nodes are told apart from one that is used twice. A fingerprint of NaN never
 * repeats from prompt to prompt.
 */
export function cacheKeys(prompt: JsonRecord, catalogue: Catalogue, environment: Environment): ReadonlyMap<string, string> {
  const signatures = new Map<string, Signature>();
  const signatureOf = (id: string): Signature => {
    const known = signatures.get(id) ?? sign(id, prompt, catalogue, environment);
    signatures.set(id, known);
    return known;
  };
  return new Map(Object.keys(prompt).map((id) => [id, keyOf(id, signatureOf)]));
}

let never = 0;

function sign(id: string, prompt: JsonRecord, catalogue: Catalogue, environment: Environment): Signature {
  if (!isRecord(prompt[id])) return { own: neverAgain(), links: [] };
  const definition = definitionOf(prompt, id, catalogue);
  const inputs = inputsOf(prompt, id);
  const constants: JsonRecord = {};
  const links: [string, string, number][] = [];
  for (const name of Object.keys(inputs).toSorted()) {
    const value = inputs[name] ?? null;
    if (isLink(value)) links.push([name, value[0], value[1]]);
    else constants[name] = value;
  }
  const print = definition?.fingerprint?.(constants, environment);
  const fingerprint = print === undefined ? '' : Number.isNaN(print) ? neverAgain() : String(print);
  const unique = Object.values(definition?.hidden ?? {}).includes('UNIQUE_ID') ? id : '';
  return { own: [definition?.name ?? id, fingerprint, unique, printJson(constants, { bareNaN: true })].join('\0'), links };
}

function neverAgain(): string {
  never += 1;
  return `never ${process.pid} ${never}`;
}

function keyOf(id: string, signatureOf: (id: string) => Signature): string {
  const places = new Map<string, number>();
  const order: string[] = [];
  // Without recursion: a chain of nodes may be longer than the stack is deep. Depth first, in order of the inputs' names.
  const waiting = [{ links: signatureOf(id).links, next: 0 }];
  for (let top = waiting.at(-1); top !== undefined; top = waiting.at(-1)) {
    const link = top.links[top.next++];
    if (link === undefined) waiting.pop();
    else if (!places.has(link[1])) {
      places.set(link[1], order.length);
      order.push(link[1]);
      waiting.push({ links: signatureOf(link[1]).links, next: 0 });
    }
  }
  const hash = createHash('sha256');
  for (const each of [id, ...order]) {
    const { own, links } = signatureOf(each);
    hash.update(`${own}\n`);
    for (const [name, origin, slot] of links) hash.update(`${name}\0${places.get(origin) ?? -1}\0${slot}\n`);
  }
  return hash.digest('hex');
}
