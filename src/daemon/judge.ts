/** The library as the configured backends can run it: what a template requires is judged against what they said last. */
import type { Backend } from '#backends/contract.ts';
import { isBlocking, type Problem } from '#protocol/problem.ts';
import { type BackendOffer, type Fit, stepFits } from '#templates/fits.ts';
import { versionLack } from '#templates/check-requires.ts';
import type { StepNeeds, TemplateNeeds } from '#templates/needs.ts';
import type { Values } from '#templates/types.ts';
import type { GatedLibrary, GatedTemplate } from './exchange/gate.ts';
import { lackOfFfmpeg } from './lack-of-ffmpeg.ts';
import { takersOf } from './takers.ts';
import { VERSION } from './version.ts';

/** `problems` and `runnable` say how it stands with the backends. */
export type JudgedTemplate = GatedTemplate & {
  /** By its own files, whatever the backends are. */
  readonly own: { readonly problems: readonly Problem[]; readonly runnable: boolean };
};

export interface JudgedLibrary extends GatedLibrary {
  list(): readonly JudgedTemplate[];
  get(id: string, version?: string): JudgedTemplate | undefined;
}

export interface Bench {
  readonly backends: readonly Pick<Backend, 'id' | 'kind'>[];
  /** The same object until it changes. */
  readonly offer: (id: string) => BackendOffer;
}

export interface StepJudgement {
  /** One backend at least would not refuse the step, as far as is known. */
  readonly isPossible: boolean;
  readonly problems: readonly Problem[];
}

/**
 * A step that one of `offers` takes has the problems of the one that takes it best, mere warnings; else those of all, each with
 * the backend's name.
 */
export function judgeStep(needs: TemplateNeeds, step: StepNeeds, offers: readonly BackendOffer[], values?: Values): StepJudgement {
  const fits = offers.map((offer) => stepFits(needs, step, offer, values));
  const [best] = fits.filter(({ verdict }) => verdict !== 'lacks').toSorted(byComfort);
  if (best !== undefined) return { isPossible: true, problems: best.problems };
  return { isPossible: false, problems: fits.flatMap(({ problems }) => problems) };
}

/** Of all steps. A step with a condition may never run, so that what it lacks is a warning. `asked` judges for that backend alone. */
export function judgeTemplate(needs: TemplateNeeds, { backends, offer }: Bench, asked?: string): readonly Problem[] {
  const found: Problem[] = [];
  const { callsheet } = needs;
  const lack = callsheet === undefined ? undefined : versionLack('callsheet', callsheet.range, VERSION);
  if (callsheet !== undefined && lack !== undefined) found.push({ ...lack, ...callsheet.spot });
  found.push(...lackOfFfmpeg(needs));
  // A library that serves no backends at all is judged by its files alone.
  for (const step of backends.length === 0 ? [] : needs.steps) {
    const takers = takersOf(backends, asked, step.backend);
    const { problems } =
      takers.length === 0
        ? { problems: [noTaker(step)] }
        : judgeStep(
            needs,
            step,
            takers.map(({ id }) => offer(id)),
          );
    for (const problem of problems) found.push(step.conditional && isBlocking(problem) ? { ...problem, severity: 'warning' } : problem);
  }
  return once(found);
}

/** Backends that would be used and could not be asked yet, in words. */
export function unasked(needs: TemplateNeeds, { backends, offer }: Bench, asked?: string): readonly Problem[] {
  const ids = new Set(
    needs.steps
      .filter(({ backend }) => backend !== 'wan2gp')
      .flatMap(({ backend }) => takersOf(backends, asked, backend).map(({ id }) => id)),
  );
  return [...ids]
    .filter((id) => offer(id).info === undefined)
    .map((id) => ({
      code: 'BACKEND_NOT_ASKED',
      severity: 'info',
      message: `Backend '${id}' has not answered yet, so whether it has what the template needs is not known.`,
      hint: 'Start it, or look at `callsheet backends list`; the template is judged again when it answers.',
    }));
}

/** Judged once for each template and state of the backends: what is given out stays the same object as long as neither changes. */
export function judgeLibrary(library: GatedLibrary, bench: Bench): JudgedLibrary {
  const judged = new WeakMap<GatedTemplate, { readonly offers: readonly BackendOffer[]; readonly template: JudgedTemplate }>();
  const judge = (loaded: GatedTemplate): JudgedTemplate => {
    const offers = bench.backends.map(({ id }) => bench.offer(id));
    const known = judged.get(loaded);
    if (known?.offers.every((offer, index) => offer === offers[index]) === true) return known.template;
    const found = loaded.needs === undefined ? [] : judgeTemplate(loaded.needs, bench);
    const template = withJudgement(loaded, found);
    judged.set(loaded, { offers, template });
    return template;
  };
  return {
    ...library,
    list: () => library.list().map(judge),
    get(id, version) {
      const found = library.get(id, version);
      return found === undefined ? undefined : judge(found);
    },
  };
}

// --- helpers ---

const byComfort = (a: Fit, b: Fit): number =>
  a.problems.length - b.problems.length || Number(a.verdict === 'unknown') - Number(b.verdict === 'unknown');

function noTaker({ id, backend }: StepNeeds): Problem {
  return {
    code: 'STEP_BACKEND_MISSING',
    severity: 'error',
    message: `Step '${id}' needs a backend of kind '${backend}', and none is configured.`,
    hint: `Start the daemon with --backend ${backend === 'sandbox' ? 'sandbox' : `${backend}=…`}.`,
    step: id,
  };
}

function withJudgement(loaded: GatedTemplate, found: readonly Problem[]): JudgedTemplate {
  const { id, version, origin, hash, facts, needs, approval, problems, runnable } = loaded;
  return {
    id,
    version,
    origin,
    hash,
    facts,
    needs,
    ...(approval === undefined ? {} : { approval }),
    own: { problems, runnable },
    problems: found.length === 0 ? problems : [...problems, ...found],
    runnable: runnable && !found.some(isBlocking),
    // Compiled when it is asked for, as the library does.
    get template() {
      return loaded.template;
    },
  };
}

/** What all steps have in common is said once. */
function once(problems: readonly Problem[]): readonly Problem[] {
  const seen = new Set<string>();
  return problems.filter(({ code, message, file, pointer, node, input }) => {
    const key = JSON.stringify([code, message, file, pointer, node, input]);
    return !seen.has(key) && seen.add(key).size > 0;
  });
}
