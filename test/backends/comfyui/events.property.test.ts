/** Events doubled, dropped and in any order: the end is the one that the history holds, told once (reliability.md F14). */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Message } from '../../fakes/fake-comfyui.ts';
import { isTerminal } from './harness.ts';
import { connect, newAttempt, PAYLOAD, record, startFake } from './harness.ts';

describe('[F14] [S26] events that are doubled, dropped and out of order', () => {
  it('never change the end, its count, or the order of what is told (property)', async () => {
    const fake = await startFake();
    const backend = connect(fake.url, { timeouts: { pollMs: 15, absentGapMs: 10 } });
    const ends = fc.constantFrom('finished', 'failed', 'interrupted');
    const chaos = fc.array(fc.record({ copies: fc.integer({ min: 0, max: 2 }), hold: fc.boolean() }), { minLength: 8, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(ends, chaos, async (end, plan) => {
        let index = 0;
        let kept: Message[] = [];
        fake.transform = (message) => {
          const { copies, hold } = plan[index % plan.length] ?? { copies: 1, hold: false };
          index += 1;
          const out = Array.from({ length: copies }, () => message);
          if (hold) {
            kept.push(...out);
            return [];
          }
          const released = [...out, ...kept.toReversed()];
          kept = [];
          return released;
        };
        fake.engine.plan = () =>
          end === 'failed' ? { error: { node: '2', type: 'ValueError', message: 'no' } } : end === 'interrupted' ? { holdAt: '2' } : {};
        const attempt = newAttempt();
        const recorder = record(backend, attempt);
        await backend.submit(attempt, PAYLOAD);
        if (end === 'interrupted') {
          await fake.engine.held();
          fake.engine.interrupt(attempt.promptId);
        }
        expect((await recorder.end).type).toBe(end);
        expect(recorder.events.filter(isTerminal)).toHaveLength(1);
        const types = recorder.types().filter((type) => type !== 'contact');
        expect(['queued', 'started', end].filter((type) => types.includes(type))).toEqual(types);
      }),
      { numRuns: 60 },
    );
    expect(new Set(fake.engine.ledger.map((entry) => entry.promptId)).size).toBe(fake.engine.ledger.length);
  });
});
