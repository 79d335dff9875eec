/** The library as the rest of the daemon sees it: templates in the directory of imports wait for approval of their very content. */
import { realpathSync } from 'node:fs';
import { CallsheetError } from '#protocol/errors.ts';
import type { Problem } from '#protocol/problem.ts';
import type { LoadedTemplate, TemplateLibrary } from '#templates/library.ts';
import { isInside } from '../roots.ts';

export interface GateOptions {
  /** Absolute; everything below it came from somebody else. */
  readonly importDir: string;
  readonly isApproved: (hash: string) => boolean;
}

export type ApprovalState = 'pending' | 'approved';

/** What a person may run without asking is the user's own folders; undefined for those. */
export type GatedTemplate = LoadedTemplate & { readonly approval?: ApprovalState };

export interface GatedLibrary extends TemplateLibrary {
  list(): readonly GatedTemplate[];
  /** Without a version, approved ones go before those that wait. */
  get(id: string, version?: string): GatedTemplate | undefined;
}

export function gateLibrary(library: TemplateLibrary, { importDir, isApproved }: GateOptions): GatedLibrary {
  const isImported = ({ origin }: LoadedTemplate): boolean =>
    isInside(importDir, origin.path) || isInside(real(importDir), real(origin.path));
  const judged = new WeakMap<LoadedTemplate, GatedTemplate>();
  const gate = (loaded: LoadedTemplate): GatedTemplate => {
    const approval = loaded.hash !== undefined && isApproved(loaded.hash) ? 'approved' : 'pending';
    const known = judged.get(loaded);
    if (known !== undefined && (known === loaded || known.approval === approval)) return known;
    const gated = isImported(loaded) ? withApproval(loaded, approval) : loaded;
    judged.set(loaded, gated);
    return gated;
  };
  return {
    ...library,
    list: () => library.list().map(gate),
    get(id, version) {
      const found = library.get(id, version);
      const first = found === undefined ? undefined : gate(found);
      if (first?.approval !== 'pending' || version !== undefined) return first;
      return (
        library
          .list()
          .filter((one) => one.id === id)
          .map(gate)
          .find((one) => one.approval !== 'pending' && one.runnable) ?? first
      );
    },
  };
}

/** Throws TEMPLATE_NOT_APPROVED. */
export function demandApproved(loaded: GatedTemplate | undefined): void {
  if (loaded?.approval !== 'pending') return;
  const { id, version, hash } = loaded;
  throw new CallsheetError('TEMPLATE_NOT_APPROVED', `Template '${id}' ${version} was imported and nobody has approved it as it is now.`, {
    hint: `Look at what it uses and approve it: callsheet templates approve ${id}@${version}`,
    details: { id, version, ...(hash === undefined ? {} : { hash }) },
  });
}

// --- helpers ---

function withApproval(loaded: LoadedTemplate, approval: ApprovalState): GatedTemplate {
  const { id, version, origin, hash, facts, needs, problems, runnable } = loaded;
  const waits = approval === 'pending';
  return {
    id,
    version,
    origin,
    hash,
    facts,
    needs,
    approval,
    runnable: runnable && !waits,
    problems: waits ? [...problems, waiting(loaded)] : problems,
    // Compiled when it is asked for, as the library does.
    get template() {
      return loaded.template;
    },
  };
}

function waiting({ id, version, origin }: LoadedTemplate): Problem {
  const message = 'The template was imported and waits for approval: it does not run before somebody has looked at what it uses.';
  const hint = `Look at it and approve it: callsheet templates approve ${id}@${version}`;
  return { code: 'TEMPLATE_APPROVAL_NEEDED', severity: 'error', message, hint, file: origin.path };
}

function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
