/** What is said of a backend that answers and executes nothing any more, wherever it is said. */
import { CallsheetError, type ErrorData } from '#protocol/errors.ts';
import type { Backend } from './contract.ts';

/** `proof` is a clause: by what it is known. */
export function workerDead({ url }: Pick<Backend, 'url'>, proof: string): ErrorData {
  return new CallsheetError(
    'BACKEND_WORKER_DEAD',
    `${url} answers, but the worker that executes prompts has died: ${proof}. It takes prompts and executes none.`,
    { hint: 'Restart it: what is lost with it is made again.' },
  ).data;
}
