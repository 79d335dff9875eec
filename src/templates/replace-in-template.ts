/** A template as a server of today runs it: node classes that were renamed are replaced in memory. The one place where check, door and run do so. */
import type { ObjectInfo } from '#graph/object-info.ts';
import { replaceNodes } from '#graph/replace-nodes.ts';
import { type PlaceBack, placesBack } from '#graph/rewrite.ts';
import type { Problem } from '#protocol/problem.ts';
import type { CompiledTemplate, Site } from './compiled.ts';
import { moveSite, writtenBy } from './move-sites.ts';
import { leadPatches } from './replace-in-patches.ts';
import { placeOfClass, replacedLine, tellReplaced } from './replacement-words.ts';

export interface CurrentTemplate {
  /** The template itself when the server has all its classes, or none in their place. */
  readonly template: CompiledTemplate;
  /** One `info` for each node that was replaced; `file` is the name of the workflow. */
  readonly problems: readonly Problem[];
  /** What was done to the graph of a step, for people. */
  readonly done: (step: string) => readonly string[];
  /** Findings in the graph of a step point into the author's file again. */
  readonly placeBack: (step: string) => PlaceBack;
}

const known = new WeakMap<ObjectInfo, WeakMap<CompiledTemplate, CurrentTemplate>>();

/** Ids and titles stay, so that outputs and addresses hold; what `set` writes goes to the input's new name. */
export function currentTemplate(template: CompiledTemplate, info: ObjectInfo): CurrentTemplate {
  const ofInfo = known.get(info) ?? new WeakMap<CompiledTemplate, CurrentTemplate>();
  known.set(info, ofInfo);
  const before = ofInfo.get(template);
  if (before !== undefined) return before;
  const made = makeCurrent(template, info);
  ofInfo.set(template, made);
  return made;
}

function makeCurrent(template: CompiledTemplate, info: ObjectInfo): CurrentTemplate {
  const problems: Problem[] = [];
  const backs = new Map<string, PlaceBack>();
  const done = new Map<string, readonly string[]>();
  const steps = template.steps.map((step) => {
    const replaced = step.backend === 'wan2gp' ? undefined : replaceNodes(step.graph, info, writtenBy(step, info));
    if (replaced === undefined) return step;
    backs.set(step.id, placesBack(step.graph.text, replaced.text, replaced.originOf));
    done.set(step.id, replaced.nodes.map(replacedLine));
    // Most sites of the lower profile are those of the step.
    const moved = new Map([...step.sites, ...(step.lowMemory ?? [])].map((site) => [site, moveSite(site, step, replaced, problems)]));
    const move = (site: Site): readonly Site[] => moved.get(site) ?? [];
    problems.push(
      ...replaced.nodes.map((node) => ({
        ...tellReplaced(node, step.graph, placeOfClass(node, step.graph, step.workflow)),
        step: step.id,
      })),
    );
    return {
      ...step,
      graph: replaced.graph,
      sites: step.sites.flatMap(move),
      lowMemory: step.lowMemory?.flatMap(move),
      patches: leadPatches(step, replaced, problems),
    };
  });
  return {
    template: backs.size === 0 ? template : { ...template, steps },
    problems,
    done: (step) => done.get(step) ?? [],
    placeBack: (step) => backs.get(step) ?? ((problem) => problem),
  };
}
