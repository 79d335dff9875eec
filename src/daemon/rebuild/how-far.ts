/** How far a run had come of which nothing but files is left: by the steps of its template, which count alike. Pure. */
import { compileTemplate } from '#templates/compile.ts';
import type { TemplateSource } from '#templates/types.ts';
import { UNTIL_THE_END } from '../progress.ts';
import type { Rebuilt } from './row-parts.ts';

/** With its progress, where it was rebuilt of notes; `content` is the template as it is stored. */
export function withProgress(plan: Rebuilt, content: string): Rebuilt {
  const { shares } = plan;
  if (shares === undefined) return plan;
  const template = compileTemplate(JSON.parse(content) as TemplateSource).value;
  const steps = template?.steps.map(({ id }) => id) ?? [...shares.keys()];
  const done = steps.reduce((sum, step) => sum + (shares.get(step) ?? 0), 0);
  // That it had ended is what nobody knows.
  const progress = Math.min(UNTIL_THE_END, done / Math.max(1, steps.length));
  return { ...plan, batch: { ...plan.batch, states: (plan.batch.states ?? []).map((state) => ({ ...state, progress })) } };
}
