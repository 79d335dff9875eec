/** A problem: one finding of a check. The same shape travels in errors, RPC results, CLI output and the add-on. */

export type Severity = 'error' | 'warning' | 'info';

export interface Problem {
  /** Stable code listed in docs/problems.md, e.g. `GRAPH_LINK_DANGLING`. */
  readonly code: string;
  readonly severity: Severity;
  /** One sentence for a person: what is wrong. */
  readonly message: string;
  /** The next thing to do. */
  readonly hint?: string;
  /** Path of the file, as given by whoever asked for the check. */
  readonly file?: string;
  /** 1-based. */
  readonly line?: number;
  /** 1-based, in UTF-16 code units. */
  readonly column?: number;
  /** JSON Pointer (RFC 6901) into the file. */
  readonly pointer?: string;
  /** Node id in the graph. */
  readonly node?: string;
  /** Input name of that node. */
  readonly input?: string;
  /** Template parameter the problem is about. */
  readonly parameter?: string;
  /** Step id the problem is about. */
  readonly step?: string;
}

export function isBlocking(problem: Problem): boolean {
  return problem.severity === 'error';
}

/** `file:line:col severity CODE message`, hint on the next line (DESIGN 8). */
export function formatProblem(problem: Problem): string {
  const head = `${placeOf(problem)}${problem.severity} ${problem.code} ${problem.message}`;
  return problem.hint === undefined ? head : `${head}\n    ${problem.hint}`;
}

// --- helpers ---

/** With the space behind it. What is wrong with a run stands in no file. */
function placeOf({ file, line, column = 0, step, node }: Problem): string {
  if (file !== undefined || line !== undefined) return `${[file ?? '-', line ?? 0, column].join(':')} `;
  return [...(step === undefined ? [] : [`step ${step} `]), ...(node === undefined ? [] : [`node ${node} `])].join('');
}
