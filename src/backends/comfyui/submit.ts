/** Sends a prompt, exactly once, and reads every way in which a server can answer (comfyui.md 1.1). */
import type { ErrorData } from '#protocol/errors.ts';
import { CallsheetError } from '#protocol/errors.ts';
import { formatProblem } from '#protocol/problem.ts';
import type { Problem } from '#protocol/problem.ts';
import type { Attempt, SubmitReceipt } from '../contract.ts';
import { checkStructure } from '#graph/structure.ts';
import type { Graph } from '#graph/types.ts';
import type { Http, HttpReply } from './http.ts';
import type { PromptBody } from './prompt.ts';
import { nodeProblems, promptProblem } from './problems.ts';
import { finite, httpError, isFields, notComfyUI, parsePython, text } from './replies.ts';
import type { Fields } from './replies.ts';

const WHAT = 'the prompt';

/**
 * Throws PROMPT_REJECTED (400), BACKEND_HTTP (413, 500 …), BACKEND_NOT_COMFYUI, BACKEND_TOO_OLD (the server ran the prompt under an
 * id of its own) and BACKEND_UNREACHABLE, after which the prompt may or may not have arrived.
 */
export async function postPrompt(
  http: Http,
  attempt: Attempt,
  prompt: PromptBody,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<SubmitReceipt> {
  const reply = await http.send({ method: 'POST', path: '/prompt', body: prompt.body, timeoutMs, signal });
  if (reply.status !== 200 && reply.status !== 400) throw refusedBy(http, reply);
  const answer = readAnswer(http, reply);
  if (reply.status === 400 || isFields(answer['error'])) throw rejected(http, answer, reply, prompt.graph);
  const promptId = text(answer['prompt_id']);
  if (promptId === undefined) throw notComfyUI(http.address, WHAT, reply);
  if (promptId !== attempt.promptId) throw await otherId(http, promptId, timeoutMs);
  const number = finite(answer['number']);
  const warnings = nodeProblems(answer['node_errors'], 'warning').map(asWarning);
  return { ...(number === undefined ? {} : { number }), warnings };
}

function readAnswer(http: Http, reply: HttpReply): Fields {
  let answer: unknown;
  try {
    answer = parsePython(reply.text);
  } catch {
    throw notComfyUI(http.address, WHAT, reply);
  }
  if (!isFields(answer)) throw notComfyUI(http.address, WHAT, reply);
  return answer;
}

function refusedBy(http: Http, reply: HttpReply): CallsheetError {
  if (reply.status === 500 && !/html/i.test(reply.headers['content-type'] ?? '')) {
    return new CallsheetError('BACKEND_HTTP', `ComfyUI at ${http.address.label} failed while it took the prompt in (status 500).`, {
      hint: 'A custom node raised an exception, or the graph has a shape ComfyUI cannot read: its log says which.',
      retryable: false,
    });
  }
  return httpError(http.address, WHAT, reply);
}

function rejected(http: Http, answer: Fields, reply: HttpReply, graph: Graph): CallsheetError {
  const error = answer['error'];
  if (!isFields(error) && typeof error !== 'string') return notComfyUI(http.address, WHAT, reply);
  const top = isFields(error) ? promptProblem(error) : promptProblem({ message: error });
  const told: Problem[] = [...(top === undefined ? [] : [top]), ...nodeProblems(answer['node_errors'])];
  // 0.3.64 refuses a circle of links without a word about any node: what it does not say is found in the graph.
  const problems = told.length > 0 ? told : checkStructure(graph);
  const first = problems[0] ?? promptProblem({ message: text(isFields(error) ? error['message'] : error) });
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  return new CallsheetError('PROMPT_REJECTED', `The backend refused the graph: ${first?.message ?? 'no reason was given.'}${more}`, {
    problems: problems.length === 0 && first !== undefined ? [first] : problems,
    ...(first?.hint === undefined ? {} : { hint: first.hint }),
    ...(first?.node === undefined ? {} : { node: first.node }),
  });
}

/** Before 0.3.45 the server makes up the id. What it queued is taken back as far as that is safe: only while it is pending. */
async function otherId(http: Http, promptId: string, timeoutMs: number): Promise<CallsheetError> {
  const body = JSON.stringify({ delete: [promptId] });
  await http.send({ method: 'POST', path: '/queue', body, timeoutMs }).catch(() => undefined);
  return new CallsheetError(
    'BACKEND_TOO_OLD',
    `The backend at ${http.address.label} runs prompts under ids of its own, so a run could not be found again after a crash.`,
    {
      hint: 'Update ComfyUI to 0.3.45 or later.',
    },
  );
}

function asWarning(problem: Problem): ErrorData {
  return {
    code: 'PROMPT_REJECTED',
    message: `A part of the graph was left out by the backend: ${problem.message}`,
    retryable: false,
    problems: [problem],
    hint: problem.hint ?? formatProblem(problem),
    ...(problem.node === undefined ? {} : { node: problem.node }),
  };
}
