/** The naive client: the same graphs, one after the other, as they are, to a server that keeps what it keeps. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LedgerEntry, Sandbox } from '#backends/sandbox/options.ts';

/** A server that takes prompts. A real one can neither be restarted from here nor be made to fail. */
export interface PlainServer {
  readonly url: string;
  readonly sandbox?: Sandbox;
}

/** What a client did, taken down while it was done. */
export type PlainAction =
  | { readonly type: 'upload'; readonly name: string; readonly path: string }
  | { readonly type: 'prompt'; readonly graph: string; readonly outputNodes: readonly string[] }
  | { readonly type: 'restart' }
  | { readonly type: 'fail'; readonly class: string | undefined };

export interface PlainRun {
  /** Empty on a real server. */
  readonly ledger: readonly LedgerEntry[];
  /** Prompts in order, beside their executions. */
  readonly prompts: readonly { readonly graph: string; readonly outputNodes: readonly string[] }[];
  /** Of this machine's clock. */
  readonly wallSeconds: number;
}

export async function playPlain({ url, sandbox }: PlainServer, actions: readonly PlainAction[]): Promise<PlainRun> {
  const prompts: { graph: string; outputNodes: readonly string[] }[] = [];
  const begin = performance.now();
  for (const action of actions) {
    if (action.type === 'upload') await upload(url, action.name, readFileSync(action.path));
    if (action.type === 'restart') await sandbox?.restart();
    if (action.type === 'fail' && sandbox !== undefined) setFailure(sandbox, action.class);
    if (action.type !== 'prompt') continue;
    prompts.push(action);
    await sendAndWait(url, sandbox, action.graph);
  }
  return { ledger: sandbox?.ledger() ?? [], prompts, wallSeconds: (performance.now() - begin) / 1000 };
}

export function setFailure(sandbox: Sandbox, name: string | undefined): void {
  if (name === undefined) delete sandbox.faults.failNodes;
  else sandbox.faults.failNodes = { [name]: Number.MAX_SAFE_INTEGER };
}

async function sendAndWait(url: string, sandbox: Sandbox | undefined, graph: string): Promise<void> {
  const id = randomUUID();
  const body = `{"prompt":${graph},"client_id":"plain","prompt_id":${JSON.stringify(id)}}`;
  const response = await fetch(`${url}/prompt`, { method: 'POST', body });
  if (!response.ok) throw new Error(`POST /prompt: ${response.status} ${await response.text()}`);
  const isDone = async (): Promise<boolean> => {
    if (sandbox === undefined) return Object.keys((await (await fetch(`${url}/history/${id}`)).json()) as object).length > 0;
    return sandbox.ledger().some((entry) => entry.prompt_id === id && entry.finished !== null);
  };
  while (!(await isDone())) await sleep(2);
}

async function upload(url: string, name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const form = new FormData();
  const cut = name.lastIndexOf('/');
  form.append('image', new Blob([bytes]), name.slice(cut + 1));
  if (cut >= 0) form.append('subfolder', name.slice(0, cut));
  form.append('overwrite', 'true');
  const response = await fetch(`${url}/upload/image`, { method: 'POST', body: form });
  if (!response.ok) throw new Error(`upload of ${name}: ${response.status}`);
}
