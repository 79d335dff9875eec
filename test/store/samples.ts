/** Small valid rows for tests of the store. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ArtifactView } from '#protocol/views.ts';
import type { AttemptRow, Batch, NewEvent, NewRun, RunState } from '#store/types.ts';

export function freshDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'callsheet-store-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export const TEMPLATE = { hash: 'a'.repeat(64), content: '{"manifest":"{}","workflows":{}}' };

export function newRun(runId: string, changes: Partial<NewRun> = {}): NewRun {
  return {
    runId,
    template: 'demo',
    version: '1.0.0',
    templateHash: TEMPLATE.hash,
    backend: null,
    parameters: '{"seed":"18446744073709551615"}',
    createdAt: 1_700_000_000_000,
    ...changes,
  };
}

export function state(runId: string, changes: Partial<RunState> = {}): RunState {
  return {
    runId,
    status: 'running',
    draft: false,
    progress: 0.25,
    machine: 'run',
    machineVersion: 1,
    snapshot: '{"status":"active","value":"executing"}',
    timers: null,
    error: null,
    endedAt: null,
    ...changes,
  };
}

export function attempt(runId: string, promptId: string, changes: Partial<AttemptRow> = {}): AttemptRow {
  return {
    promptId,
    runId,
    step: 'base',
    item: 0,
    attempt: 1,
    backend: 'comfyui',
    address: 'http://127.0.0.1:8188',
    payloadHash: 'b'.repeat(64),
    status: 'prepared',
    acknowledged: false,
    number: null,
    createdAt: 1_700_000_000_001,
    endedAt: null,
    error: null,
    ...changes,
  };
}

export function artifact(runId: string, artifactId: string, changes: Partial<ArtifactView> = {}): ArtifactView {
  return {
    artifactId,
    runId,
    step: 'base',
    item: 0,
    output: 'portrait',
    node: '9',
    index: 0,
    path: '/films/shot/portrait.png',
    mediaType: 'image/png',
    bytes: 1234,
    sha256: 'c'.repeat(64),
    kind: 'image',
    createdAt: 1_700_000_000_003,
    draft: false,
    ...changes,
  };
}

export function event(runId: string, note: string): NewEvent {
  return { runId, at: 1_700_000_000_002, body: { type: 'run.note', code: 'NOTE', message: note } };
}

/** A run as the daemon makes it: row, state and first event in one batch. */
export function created(runId: string, changes: Partial<NewRun> = {}): Batch {
  return {
    templates: [TEMPLATE],
    newRuns: [newRun(runId, changes)],
    states: [state(runId, { status: 'queued', progress: 0 })],
    events: [{ runId, at: 1_700_000_000_000, body: { type: 'run.created', template: 'demo', version: '1.0.0' } }],
  };
}
