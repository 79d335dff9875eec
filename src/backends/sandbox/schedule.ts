/** Which nodes must run, and which of the ready ones goes first. */
import { isLink, type JsonRecord } from './json.ts';
import type { Catalogue } from './nodes/catalogue.ts';
import { definitionOf, inputsOf } from './prompt-nodes.ts';

export interface Schedule {
  /** Adds a node with everything it needs that is not cached. */
  add(id: string): void;
  /** Makes a staged node wait for inputs that it asked for after all. */
  require(id: string, inputs: readonly string[]): void;
  /** The next node with all its inputs there, or undefined when nothing is left. */
  next(): string | undefined;
  done(id: string): void;
}

export function createSchedule(prompt: JsonRecord, catalogue: Catalogue, isDone: (id: string) => boolean): Schedule {
  /** Node → nodes it still waits for. */
  const waiting = new Map<string, Set<string>>();
  /** Node → nodes that wait for it. */
  const feeds = new Map<string, Set<string>>();

  const linkTo = (id: string, origin: string): void => {
    if (isDone(origin)) return;
    waiting.get(id)?.add(origin);
    const fed = feeds.get(origin) ?? new Set();
    feeds.set(origin, fed.add(id));
    add(origin);
  };
  const add = (id: string): void => {
    if (waiting.has(id)) return;
    waiting.set(id, new Set());
    if (isDone(id)) return;
    const definition = definitionOf(prompt, id, catalogue);
    for (const [name, value] of Object.entries(inputsOf(prompt, id))) {
      const declared = definition !== undefined && (name in definition.required || name in (definition.optional ?? {}));
      if (declared && isLink(value) && definition.lazy?.inputs.includes(name) !== true) linkTo(id, value[0]);
    }
  };
  const isOutput = (id: string): boolean => definitionOf(prompt, id, catalogue)?.isOutput === true;
  const feedsOutput = (id: string): boolean => [...(feeds.get(id) ?? [])].some(isOutput);

  return {
    add,
    require(id, inputs) {
      const own = inputsOf(prompt, id);
      for (const name of inputs) {
        const value = own[name];
        if (isLink(value)) linkTo(id, value[0]);
      }
    },
    next() {
      const ready = [...waiting].filter(([, needs]) => needs.size === 0).map(([id]) => id);
      // Outputs as early as possible: a person waits for pictures, not for nodes.
      return (
        ready.find(isOutput) ?? ready.find(feedsOutput) ?? ready.find((id) => [...(feeds.get(id) ?? [])].some(feedsOutput)) ?? ready[0]
      );
    },
    done(id) {
      waiting.delete(id);
      for (const fed of feeds.get(id) ?? []) waiting.get(fed)?.delete(id);
    },
  };
}
