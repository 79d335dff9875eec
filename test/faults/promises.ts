/** The checker: the promises of the design (section 5), asserted over what a run left in the store, on disk and in the backend's own ledger. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import sharp from 'sharp';
import type { LedgerEntry } from '#backends/sandbox/options.ts';
import type { RunEvent } from '#protocol/events.ts';
import { type ArtifactView, RUN_ENDS } from '#protocol/views.ts';
import { isPartialName } from '#results/durable.ts';
import type { AttemptRow, RunRow, Store } from '#store/types.ts';

export interface Evidence {
  readonly store: Store;
  readonly outputDir: string;
  /** Of every backend that had work of these runs: the judge of what was executed. */
  readonly executions: readonly Pick<LedgerEntry, 'prompt_id' | 'outcome'>[];
  /** Somebody cleared the backend's history on the way: of what failed there nothing is left that could be found. */
  readonly robbed?: boolean;
  /** Runs whose run/start was answered. */
  readonly acknowledged: readonly string[];
  /** What a client has seen of the log that resumed wherever it was cut off; absent when none listened. */
  readonly seen?: readonly RunEvent[];
}

/** Every promise that does not hold, in one sentence each. Call when everything has settled. */
export async function brokenPromises(evidence: Evidence): Promise<readonly string[]> {
  const { store, acknowledged, executions } = evidence;
  const broken = [
    ...twiceExecuted(executions, evidence.robbed),
    ...gapsOf(allEvents(store), evidence.seen),
    ...partialFiles(evidence.outputDir),
  ];
  const rows = new Map(acknowledged.map((runId) => [runId, store.run(runId)]));
  for (const [runId, row] of rows) {
    if (row === undefined) broken.push(`run ${runId} was acknowledged and is gone`);
    else broken.push(...endsOf(row, store), ...attemptsOf(store.attempts(runId)), ...(await evidenceOf(row, store.artifacts(runId))));
  }
  return broken;
}

/**
 * Promise 3: one attempt is executed once; another attempt has another prompt id. An execution without an outcome died with its backend:
 * where the answer to its POST was lost as well, nobody can know that it had begun, and the same attempt is sent again (DESIGN 4, first case of loss).
 * So is one that failed, gave nothing, and was cleared out of the history before anybody had read of it (`power-cut.test.ts`): nothing is generated twice by that.
 */
function twiceExecuted(executions: Evidence['executions'], robbed = false): readonly string[] {
  const ended = executions.filter(({ outcome }) => (robbed ? outcome === 'success' : outcome !== null));
  return [...Map.groupBy(ended, ({ prompt_id }) => prompt_id)]
    .filter(([, times]) => times.length > 1)
    .map(([id, times]) => `prompt ${id} was executed ${String(times.length)} times`);
}

/** Promise 3 again: a further attempt only after the one before it had an end that was written down. */
function attemptsOf(attempts: readonly AttemptRow[]): readonly string[] {
  const items = Map.groupBy(attempts, ({ step, item }) => `${step}/${String(item)}`);
  return [...items].flatMap(([name, tries]) => {
    const ordered = tries.toSorted((a, b) => a.attempt - b.attempt);
    const open = ordered
      .slice(0, -1)
      .filter(({ status }) => !['failed', 'lost', 'removed', 'cancelled', 'interrupted', 'unknown', 'finished'].includes(status));
    return open.map(({ attempt, status }) => `${name}: attempt ${String(attempt)} is ${status} although another came after it`);
  });
}

/** Promise 2: one end for each try; a person may have had an ended run tried again. */
function endsOf(row: RunRow, store: Store): readonly string[] {
  const events = eventsOf(store, row.runId);
  const ends = events.filter(({ event }) => event.type === 'run.status' && RUN_ENDS.includes(event.status)).length;
  const tries = 1 + events.filter(({ event }) => event.type === 'run.retried').length;
  const broken: string[] = [];
  if (row.endedAt === null) broken.push(`run ${row.runId} has no end: it is ${row.status}`);
  if (ends !== tries) broken.push(`run ${row.runId} has ${String(ends)} ends in its log for ${String(tries)} tries`);
  if (events.some(({ seq }, index) => seq !== index + 1)) broken.push(`the log of run ${row.runId} has a gap`);
  return broken;
}

/** Promise 4: what a succeeded run names is there, whole and what it was recorded as. */
async function evidenceOf(row: RunRow, artifacts: readonly ArtifactView[]): Promise<readonly string[]> {
  const broken: string[] = [];
  if (row.status === 'succeeded' && artifacts.length === 0) broken.push(`run ${row.runId} succeeded without a file`);
  for (const { path, bytes, sha256, mediaType, width } of artifacts) {
    if (!existsSync(path)) {
      broken.push(`${path} does not exist`);
      continue;
    }
    const content = readFileSync(path);
    if (content.length === 0 || content.length !== bytes) broken.push(`${path} has ${String(content.length)} bytes, not ${String(bytes)}`);
    if (createHash('sha256').update(content).digest('hex') !== sha256) broken.push(`${path} is not what was recorded`);
    if (mediaType.startsWith('image/') && (await widthOf(content)) !== width) broken.push(`${path} cannot be decoded as recorded`);
  }
  return broken;
}

async function widthOf(content: Buffer): Promise<number | undefined> {
  try {
    return (await sharp(content).metadata()).width;
  } catch {
    return undefined;
  }
}

/** Promise 5: positions without a gap; a client that resumed saw what stands in the log, each line once and in order. */
function gapsOf(stored: readonly RunEvent[], seen: readonly RunEvent[] | undefined): readonly string[] {
  const broken = stored.some(({ position }, index) => position !== index + 1) ? ['the stored log has a gap'] : [];
  if (seen === undefined) return broken;
  const same = seen.length === stored.length && seen.every((event, index) => event.position === stored[index]?.position);
  return same ? broken : [...broken, `a client saw ${String(seen.length)} events where the log has ${String(stored.length)}, or others`];
}

/** Promise 8. */
function partialFiles(outputDir: string): readonly string[] {
  if (!existsSync(outputDir)) return [];
  return readdirSync(outputDir, { recursive: true, encoding: 'utf8' })
    .filter((name) => isPartialName(basename(name)))
    .map((name) => `${name} is half-written`);
}

function allEvents(store: Store): readonly RunEvent[] {
  const events: RunEvent[] = [];
  for (;;) {
    const page = store.events({ after: events.length, limit: 1000 });
    if (page.length === 0) return events;
    events.push(...page);
  }
}

function eventsOf(store: Store, runId: string): readonly RunEvent[] {
  const events: RunEvent[] = [];
  for (;;) {
    const page = store.events({ runId, after: events.length, limit: 1000 });
    if (page.length === 0) return events;
    events.push(...page);
  }
}
