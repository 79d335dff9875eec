/** Problems of a conversion, with their places in the UI-format file. */
import type { Problem, Severity } from '#protocol/problem.ts';
import { createLineIndex } from '../json.ts';
import type { JsonNode } from '../types.ts';

export interface ConversionFinding {
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  readonly hint: string;
  readonly at: JsonNode;
  readonly node?: string;
  readonly input?: string;
}

export interface Report {
  add(finding: ConversionFinding): void;
  readonly problems: readonly Problem[];
}

/** A file full of the same mistake is told so this often. */
const MAX_PROBLEMS = 500;

export function createReport(text: string, file: string | undefined): Report {
  const lines = createLineIndex(text);
  const problems: Problem[] = [];
  const seen = new Set<string>();
  return {
    problems,
    add({ at, node, input, ...rest }) {
      const key = `${rest.code}\n${rest.message}`;
      if (seen.has(key) || problems.length >= MAX_PROBLEMS) return;
      seen.add(key);
      problems.push({
        ...rest,
        ...(file === undefined ? {} : { file }),
        ...lines.positionOf(at.start),
        ...(node === undefined ? {} : { node }),
        ...(input === undefined ? {} : { input }),
      });
    },
  };
}
