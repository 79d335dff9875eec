/** The naive client: the same graphs, one after the other, as they are, to a server that keeps what it keeps. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LedgerEntry, Sandbox } from '#backends/sandbox/options.ts';

/** What a client did, taken down while it was done. */
export type PlainAction =
  | { readonly type: 'upload'; readonly name: string; readonly path: string }
  | { readonly type: 'prompt'; readonly graph: string; readonly outputNodes: readonly string[] }
  | { readonly type: 'restart' }
  | { readonly type: 'fail'; readonly class: string | undefined };

export interface PlainRun {
  readonly ledger: readonly LedgerEntry[];
  /** Prompts in order, beside their executions. */
  readonly prompts: readonly { readonly graph: string; readonly outputNodes: readonly string[] }[];
}

export async function playPlain(sandbox: Sandbox, actions: readonly PlainAction[]): Promise<PlainRun> {
  const prompts: { graph: string; outputNodes: readonly string[] }[] = [];
  for (const action of actions) {
    if (action.type === 'upload') await upload(sandbox.url, action.name, readFileSync(action.path));
    if (action.type === 'restart') await sandbox.restart();
    if (action.type === 'fail') setFailure(sandbox, action.class);
    if (action.type !== 'prompt') continue;
    prompts.push(action);
    await sendAndWait(sandbox, action.graph);
  }
  return { ledger: sandbox.ledger(), prompts };
}

export function setFailure(sandbox: Sandbox, name: string | undefined): void {
  if (name === undefined) delete sandbox.faults.failNodes;
  else sandbox.faults.failNodes = { [name]: Number.MAX_SAFE_INTEGER };
}

async function sendAndWait(sandbox: Sandbox, graph: string): Promise<void> {
  const id = randomUUID();
  const body = `{"prompt":${graph},"client_id":"plain","prompt_id":${JSON.stringify(id)}}`;
  const response = await fetch(`${sandbox.url}/prompt`, { method: 'POST', body });
  if (!response.ok) throw new Error(`POST /prompt: ${response.status} ${await response.text()}`);
  for (;;) {
    const entry = sandbox.ledger().find(({ prompt_id }) => prompt_id === id);
    if (entry !== undefined && entry.finished !== null) return;
    await sleep(2);
  }
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
