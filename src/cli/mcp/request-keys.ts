/** One wish, one run: a call that is repeated because its answer was lost joins the run that it began. */
import { randomUUID } from 'node:crypto';

/** Wishes whose end was not told yet; beyond these the oldest is forgotten. */
const MAX_OPEN = 1000;

export interface Wish {
  readonly requestKey: string;
  /** An identical call came before, and its caller has not been told of the end. */
  readonly joined: boolean;
}

export interface RequestKeys {
  /** `params` are those of run/start, without a requestKey. */
  wish(params: unknown): Wish;
  /** The daemon accepted it. */
  began(params: unknown, runId: string): void;
  /** Nothing was begun: the same call again is a new wish. */
  refused(params: unknown): void;
  /** A caller was told how the run ended: the same call again is a new wish. */
  told(runId: string): void;
}

/** Keys are drawn for this process, so that the same words next week are another wish. */
export function createRequestKeys(draw: () => string = randomUUID): RequestKeys {
  const open = new Map<string, { readonly requestKey: string; runId: string | undefined }>();
  return {
    wish(params) {
      const print = canonical(params);
      const known = open.get(print);
      if (known !== undefined) return { requestKey: known.requestKey, joined: true };
      const requestKey = `mcp-${draw()}`;
      open.set(print, { requestKey, runId: undefined });
      const [oldest] = open.keys();
      if (open.size > MAX_OPEN && oldest !== undefined) open.delete(oldest);
      return { requestKey, joined: false };
    },
    began(params, runId) {
      const known = open.get(canonical(params));
      if (known !== undefined) known.runId = runId;
    },
    refused(params) {
      open.delete(canonical(params));
    },
    told(runId) {
      for (const [print, known] of open) if (known.runId === runId) open.delete(print);
    },
  };
}

// --- helpers ---

/** JSON with the members of every object in order: two callers may write them in any. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}
