/** The checker over an engine in this process: every promise about its runs that have ended. */
import { join } from 'node:path';
import { RUN_RECORD } from '#daemon/rebuild/record.ts';
import type { Store } from '#store/types.ts';
import type { Engine } from '../daemon/supervisor-harness.ts';
import { brokenPromises, type Evidence } from './promises.ts';

/** `executions` are those of the engine's first fake when they are not given. */
export async function brokenIn(engine: Engine, executions: Evidence['executions'] = executedBy(engine)): Promise<readonly string[]> {
  const { store, events } = engine;
  await recordsWritten(store);
  const acknowledged = store.runs({ limit: 500 }).flatMap(({ runId, endedAt }) => (endedAt === null ? [] : [runId]));
  return brokenPromises({ store, outputDir: join(engine.dir, 'output'), executions, acknowledged, seen: events });
}

/** Records of ended runs are owed for a moment; a file that is being written is not half-written. */
export async function recordsWritten(store: Pick<Store, 'outbox'>): Promise<void> {
  const since = performance.now();
  while (store.outbox(1, RUN_RECORD).length > 0 && performance.now() - since < PATIENCE_MS)
    await new Promise((resolve) => setTimeout(resolve, 20));
}

const PATIENCE_MS = 20_000;

/** For the end of a test: closes the engine and throws when a promise about its runs is broken. */
export async function closeChecked(engine: Engine): Promise<void> {
  const broken = await brokenIn(engine);
  await engine.close();
  if (broken.length > 0) throw new Error(`Broken promises:\n${broken.join('\n')}`);
}

function executedBy(engine: Engine): Evidence['executions'] {
  return engine.fake.engine.ledger.map(({ promptId }) => ({ prompt_id: promptId, outcome: 'success' as const }));
}
