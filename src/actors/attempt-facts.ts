/** What is kept of an attempt before it is sent: the graph once by content, and where it goes. Keys and passwords are left out of all of it. */
import { sha256Hex } from '#graph/hash.ts';
import { isSecretName, redactJson } from '#graph/secrets.ts';
import type { Backend, Payload } from '#backends/contract.ts';
import type { ProvenanceRow } from '#store/types.ts';
import type { Value } from '#templates/types.ts';
import type { ActorDeps, RunMemory, StagedRows } from './deps.ts';

export interface KeptFacts {
  readonly row: ProvenanceRow;
  readonly graphs: NonNullable<StagedRows['graphs']>;
}

export function keepFacts(
  deps: Pick<ActorDeps, 'software'>,
  memory: RunMemory,
  promptId: string,
  backend: Backend,
  payload: Payload,
): KeptFacts {
  const { text, places, values } = redactJson(payload.text);
  const graph = { hash: sha256Hex(text), content: text };
  const ui = payload.workflow === undefined ? undefined : redactJson(payload.workflow, values).text;
  const workflow = ui === undefined ? undefined : { hash: sha256Hex(ui), content: ui };
  const { callsheet, version, objectInfo } = deps.software(backend);
  const redactedParameters = Object.entries(memory.params).flatMap(([name, value]) => (isSecret(name, value, values) ? [name] : []));
  const row: ProvenanceRow = {
    runId: memory.runId,
    promptId,
    graph: graph.hash,
    workflow: workflow?.hash ?? null,
    facts: {
      callsheet,
      backend: {
        id: backend.id,
        kind: backend.kind,
        // The embedded sandbox is wherever a port was free.
        ...(backend.kind === 'sandbox' ? {} : { address: backend.url }),
        ...(version === undefined ? {} : { version }),
        ...(objectInfo === undefined ? {} : { objectInfo }),
      },
      inputs: payload.inputs ?? [],
      ...(places.length === 0 ? {} : { redacted: places }),
      ...(redactedParameters.length === 0 ? {} : { redactedParameters }),
    },
    times: null,
  };
  return { row, graphs: workflow === undefined ? [graph] : [graph, workflow] };
}

// --- helpers ---

function isSecret(name: string, value: Value, secrets: readonly string[]): boolean {
  if (Array.isArray(value)) return (value as readonly Value[]).some((item) => isSecret(name, item, secrets));
  if (typeof value !== 'string') return false;
  return isSecretName(name) || secrets.some((secret) => value.includes(secret));
}
