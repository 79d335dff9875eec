/** What a tool answers: text for the model, data for programs, pictures and links. */
import type { CallToolResult, ContentBlock } from '@modelcontextprotocol/server';
import { toErrorData } from '#protocol/errors.ts';
import { formatProblem, type Problem } from '#protocol/problem.ts';
import { safeText } from '../format.ts';

export interface Answer {
  /** Lines; complete without the data, because many clients show a model the text alone. */
  readonly text: readonly string[];
  readonly data: Readonly<Record<string, unknown>>;
  /** After the text: pictures, links. */
  readonly more?: readonly ContentBlock[];
  /** The call did what it could and yet what was wished for did not come about, e.g. the run failed. */
  readonly failed?: boolean;
}

export function toResult({ text, data, more = [], failed = false }: Answer): CallToolResult {
  return {
    content: [{ type: 'text', text: text.join('\n') }, ...more],
    structuredContent: { ...data },
    ...(failed ? { isError: true } : {}),
  };
}

/** Any thrown thing as a tool error: code, sentence, cure, and every problem. */
export function toErrorResult(thrown: unknown): CallToolResult {
  const error = toErrorData(thrown);
  return toResult({ text: errorLines(error), data: { error }, failed: true });
}

interface ErrorWords {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly problems?: readonly Problem[];
  readonly step?: string;
  readonly node?: string;
}

export function errorLines({ code, message, hint, problems = [], step, node }: ErrorWords): readonly string[] {
  const place = [step === undefined ? '' : `step ${step} `, node === undefined ? '' : `node ${node} `].join('');
  return [
    `${place}error ${code}: ${safeText(message)}`,
    ...(hint === undefined ? [] : [`  ${safeText(hint)}`]),
    ...problemLines(problems.filter((problem) => problem.message !== message)),
  ];
}

export function problemLines(problems: readonly Problem[]): readonly string[] {
  return problems.flatMap((problem) => formatProblem(problem).split('\n').map(safeText));
}
