// One trace for each run, whatever becomes of daemons, attempts and collectors.
import { afterEach, describe, expect, it } from 'vitest';
import { measuring } from '../metrics/measured-engine.ts';
import { type Engine, type EngineOptions, startEngine } from '../supervisor-harness.ts';
import { type ReceivedSpan, startCollector } from './collector.ts';

let engine: Engine;
afterEach(() => engine.close());

type Collector = Awaited<ReturnType<typeof startCollector>>;

async function start(collector: Pick<Collector, 'endpoint'>, options: EngineOptions = {}) {
  const measured = measuring(collector.endpoint);
  engine = await startEngine({ ...options, ...measured.options });
  return measured;
}

const named = (spans: readonly ReceivedSpan[], name: string) => spans.filter((span) => span.name === name);
/** A span, and why it stands where it stands. */
const parentOf = (spans: readonly ReceivedSpan[], span: ReceivedSpan | undefined) =>
  spans.find(({ spanId }) => spanId === span?.parentSpanId)?.name;
const digitsOf = (runId: string) => runId.replaceAll('-', '');
const OOM = { error: { node: '1', type: 'torch.OutOfMemoryError', message: 'Allocation on device' } };

describe('the trace of a run', () => {
  it('has spans for steps, attempts and phases below one root, with the ids of the run', async () => {
    await using collector = await startCollector();
    const measured = await start(collector);
    engine.fake.engine.plan = () => (engine.fake.engine.ledger.length < 1 ? OOM : {});
    const { runId } = await engine.supervisor.start({ template: 'low-memory', parameters: {} });
    const view = await engine.ended(runId);
    await measured.telemetry().close();
    const { spans } = collector;

    expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([digitsOf(runId)]));
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length);
    const [root, ...others] = spans.filter(({ parentSpanId }) => parentSpanId === undefined || parentSpanId === '');
    expect([root?.name, others]).toEqual(['run low-memory', []]);
    expect(spans.filter((span) => span !== root).map((span) => parentOf(spans, span))).not.toContain(undefined);

    expect(spans.filter(({ name }) => name.startsWith('step ')).map(({ name }) => name.slice(5))).toEqual(view.steps.map(({ id }) => id));
    const attempts = named(spans, 'attempt');
    expect(attempts.map(({ attributes }) => [attributes['callsheet.attempt'], attributes['callsheet.outcome']])).toEqual([
      [1, 'failed'],
      [2, 'finished'],
      ...view.steps.slice(1).map(() => [1, 'finished']),
    ]);
    expect(attempts[0]?.status).toMatchObject({ code: 2 });
    expect(attempts[0]?.attributes['error.type']).toBe('OUT_OF_MEMORY');
    expect(attempts[1]?.status.code ?? 0).toBe(0);
    const ids = view.steps.flatMap((step) => step.attempts.map(({ promptId }) => promptId));
    expect(attempts.map(({ attributes }) => attributes['callsheet.prompt_id'])).toEqual(ids);
    const parents = Object.fromEntries(
      ['load', 'inject', 'run-queue', 'prepare', 'execute', 'parse', 'fetch', 'back-off'].map((name) => [
        name,
        parentOf(spans, named(spans, name)[0]),
      ]),
    );
    const first = `step ${view.steps[0]?.id ?? ''}`;
    expect(parents).toEqual({
      load: 'run low-memory',
      inject: 'run low-memory',
      'run-queue': 'run low-memory',
      prepare: first,
      execute: 'attempt',
      parse: 'attempt',
      fetch: 'attempt',
      'back-off': first,
    });
    for (const { attributes, resource, from, until } of spans) {
      expect(attributes['callsheet.run_id']).toBe(runId);
      expect(resource).toMatchObject({ 'service.name': 'callsheet', 'service.version': '0.0.0', 'service.instance.id': 'test' });
      expect(until).toBeGreaterThanOrEqual(from);
      expect(from).toBeGreaterThanOrEqual(view.createdAt);
    }
  });

  it('goes on after a restart: what was under way keeps its id and its beginning', async () => {
    await using collector = await startCollector();
    const measured = await start(collector);
    engine.fake.engine.plan = () => ({ holdAt: '1' });
    const { runId } = await engine.supervisor.start({ template: 'low-memory', parameters: {} });
    await expect.poll(() => engine.supervisor.get(runId).steps[0]?.status, { timeout: 20_000 }).toBe('running');
    const before = measured.telemetry();
    const submitted = engine.events.find(({ event }) => event.type === 'step.status' && event.status === 'submitting')?.at;
    await engine.restart();
    await before.close();
    const sent = [...collector.spans];
    expect(sent.map(({ name }) => name)).toContain('load');
    expect(named(sent, 'attempt')).toEqual([]);
    engine.fake.engine.plan = () => ({});
    engine.fake.engine.release();
    await engine.ended(runId);
    await measured.telemetry().close();
    const { spans } = collector;

    expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([digitsOf(runId)]));
    const root = named(spans, 'run low-memory');
    expect(root).toHaveLength(1);
    expect(root[0]?.attributes['callsheet.resumed']).toBe(true);
    const attempt = named(spans, 'attempt')[0];
    expect(attempt?.from).toBe(submitted);
    // Phases that the process before sent stand below spans that only this one could end.
    expect(sent.map((span) => parentOf(spans, span))).not.toContain(undefined);
    expect(sent.filter(({ parentSpanId }) => parentSpanId === attempt?.spanId).map(({ name }) => name)).toContain('submit');
  });

  it('holds a later try by hand as well, linked to the one before', async () => {
    await using collector = await startCollector();
    const measured = await start(collector);
    engine.fake.engine.plan = () => ({ error: { node: '1', type: 'ValueError', message: 'no' } });
    const { runId } = await engine.supervisor.start({ template: 'low-memory', parameters: {} });
    await engine.ended(runId);
    engine.fake.engine.plan = () => ({});
    await engine.supervisor.retry({ runId });
    await engine.ended(runId);
    await measured.telemetry().close();
    const [first, second] = named(collector.spans, 'run low-memory');
    expect(first?.status).toMatchObject({ code: 2 });
    expect(first?.attributes).toMatchObject({ 'callsheet.status': 'failed', 'error.type': 'NODE_FAILED', 'callsheet.try': 1 });
    expect(second).toMatchObject({ traceId: first?.traceId, parentSpanId: first?.spanId });
    expect(second?.links).toMatchObject([{ spanId: first?.spanId, traceId: first?.traceId }]);
    expect(new Set(collector.spans.map(({ spanId }) => spanId)).size).toBe(collector.spans.length);
  });
});

describe('a collector', () => {
  it.each(['refuse', 'hang'] as const)('that answers with %s changes nothing of a run, nor of the end of the daemon', async (answer) => {
    await using collector = await startCollector(answer);
    const measured = await start(collector);
    const { runId } = await engine.supervisor.start({ template: 'three-steps', parameters: {} });
    expect((await engine.ended(runId)).status).toBe('succeeded');
    await measured.telemetry().close();
    expect(collector.requests.length).toBeGreaterThan(0);
    expect(collector.requests[0]?.path).toBe('/v1/traces');
  });

  it('that is not there changes nothing either', async () => {
    const gone = await startCollector();
    await gone[Symbol.asyncDispose]();
    const measured = await start(gone);
    const { runId } = await engine.supervisor.start({ template: 'three-steps', parameters: {} });
    expect((await engine.ended(runId)).status).toBe('succeeded');
    await measured.telemetry().close();
  });
});
