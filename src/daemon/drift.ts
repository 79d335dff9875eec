/** Drift of templates against the backends that are there: locks kept at the first good judgement, and what changed since. */
import type { Problem } from '#protocol/problem.ts';
import { checkDrift } from '#templates/check-drift.ts';
import { type ClassLock, classesOf, lockClasses } from '#templates/class-lock.ts';
import type { CompiledTemplate } from '#templates/compiled.ts';
import { type BackendOffer, stepFits } from '#templates/fits.ts';
import { namesOf } from '#templates/load.ts';
import type { TemplateNeeds } from '#templates/needs.ts';
import type { ClassLocks, Locked } from './class-locks.ts';
import type { Bench, JudgedTemplate } from './judge.ts';
import { takersOf } from './takers.ts';

/** Keeps the classes of every template that fits a backend and has no lock yet. */
export function keepLocks(templates: readonly JudgedTemplate[], bench: Bench, locks: ClassLocks): void {
  for (const { hash, needs, own } of templates) {
    if (hash === undefined || needs === undefined || !own.runnable || locks.has(hash)) continue;
    const offer = offersFor(needs, bench).find((one) => needs.steps.every((step) => stepFits(needs, step, one).verdict === 'fits'));
    if (offer?.info !== undefined) locks.keep(hash, lockClasses(classNames(needs), offer.info, offer.version));
  }
}

/** Nothing without a lock, or where no backend could be asked. `asked` names the backend. */
export function driftProblems(
  template: CompiledTemplate | undefined,
  found: Locked & { readonly needs?: TemplateNeeds | undefined },
  bench: Bench,
  locks: Pick<ClassLocks, 'of'>,
  asked?: string,
): readonly Problem[] {
  const { needs, origin } = found;
  const read = template === undefined ? undefined : locks.of(found);
  if (template === undefined || read === undefined) return [];
  const info = needs === undefined ? undefined : offersFor(needs, bench, asked).find((offer) => offer.info !== undefined)?.info;
  if (read.lock === undefined || info === undefined) return read.problems;
  const isMade = needs?.steps.some(({ classes }) => classes.some(({ spot }) => spot.line === undefined)) === true;
  return [...read.problems, ...checkDrift(template, read.lock, info, { file: namesOf(origin), isMade })];
}

/** The classes as the first real one of these backends has them that has said what it has. */
export function lockNow(template: CompiledTemplate, { backends, offer }: Bench): ClassLock | undefined {
  const { info, version } =
    realOnes(backends)
      .map(({ id }) => offer(id))
      .find((one) => one.info !== undefined) ?? {};
  return info === undefined ? undefined : lockClasses(classesOf(template), info, version);
}

// --- helpers ---

/** The sandbox plays some inputs of each class and no others: neither are templates locked with it, nor is that drift. */
function offersFor(needs: TemplateNeeds, { backends, offer }: Bench, asked?: string): readonly BackendOffer[] {
  const step = needs.steps.find(({ backend }) => backend !== 'wan2gp');
  return step === undefined ? [] : realOnes(takersOf(backends, asked, step.backend)).map(({ id }) => offer(id));
}

function realOnes<B extends Bench['backends'][number]>(backends: readonly B[]): readonly B[] {
  return backends.filter(({ kind }) => kind !== 'sandbox');
}

function classNames({ steps }: TemplateNeeds): string[] {
  return steps.flatMap(({ classes }) => classes.map(({ name }) => name));
}
