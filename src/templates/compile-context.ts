/** What the parts of the compiler share while one template is compiled. */
import type { Problem } from '#protocol/problem.ts';
import type { Workflow } from './compile-workflow.ts';
import type { Environment, Names } from './environment.ts';
import type { Reference } from './grammar.ts';
import { type Located, type Path, type ProblemDetails, problemAt } from './locate.ts';
import type { TextPlace } from './references.ts';
import type { TemplateSource } from './types.ts';

export interface CompileContext {
  readonly source: TemplateSource;
  /** How a file is called in problems. */
  readonly file: (name: string) => string;
  readonly where: Located;
  readonly names: Names;
  readonly problems: Problem[];
  /** Parameters that something refers to, and choices as `choices.NAME`. */
  readonly used: Set<string>;
  /** Workflow files that were read, by kind and name. */
  readonly workflows: Map<string, Workflow>;
  /** Missing workflow files that need no further problem. */
  readonly reported: ReadonlySet<string>;
}

export function report(context: CompileContext, path: Path, code: string, message: string, details: ProblemDetails): void {
  context.problems.push(problemAt(context.where, path, code, message, details));
}

export function countUse({ used }: CompileContext, path: readonly string[]): void {
  if (path.length === 1 || path[0] === 'choices') used.add(path.join('.'));
}

/** A text of the manifest in which placeholders may stand. */
export function manifestText(
  context: CompileContext,
  path: Path,
  environment: Environment,
  details: { readonly step?: string; readonly uses?: (reference: Reference) => void } = {},
): TextPlace {
  const { step, uses } = details;
  return {
    environment,
    ours: true,
    uses: uses ?? ((reference) => countUse(context, reference.path)),
    report: ({ code, message, severity, hint }) =>
      report(context, path, code, message, { severity, hint, ...(step === undefined ? {} : { step }) }),
  };
}
