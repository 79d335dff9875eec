// One question for all who ask before it is sent, and never an answer that is older than the question.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Clock } from '#backends/comfyui/settings.ts';
import { createSharedLook } from '#backends/comfyui/shared-look.ts';

/** Questions are answered by hand. */
function rig(patienceMs = 1000) {
  const asked: PromiseWithResolvers<number>[] = [];
  const timers = new Set<() => void>();
  const clock: Clock = {
    now: () => 0,
    after(_, call) {
      timers.add(call);
      return () => void timers.delete(call);
    },
  };
  const look = createSharedLook(
    () => {
      const question = Promise.withResolvers<number>();
      asked.push(question);
      return question.promise;
    },
    clock,
    patienceMs,
  );
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return { asked, look, settle, losePatience: () => timers.forEach((call) => call()) };
}

describe('a shared look', () => {
  it('is one for all who ask at once, and another for who asks after it was sent', async () => {
    const { asked, look, settle } = rig();
    const first = [look(), look(), look()];
    await settle();
    expect(asked).toHaveLength(1);
    const later = [look(), look()];
    await settle();
    expect(asked).toHaveLength(1);
    asked[0]?.resolve(1);
    expect(await Promise.all(first)).toEqual([1, 1, 1]);
    await settle();
    asked[1]?.resolve(2);
    expect(await Promise.all(later)).toEqual([2, 2]);
    expect(asked).toHaveLength(2);
  });

  it('that fails is told to those who asked, and the next is another', async () => {
    const { asked, look, settle } = rig();
    const first = look();
    await settle();
    const second = look();
    asked[0]?.reject(new Error('no'));
    await expect(first).rejects.toThrow('no');
    await settle();
    asked[1]?.resolve(2);
    expect(await second).toBe(2);
  });

  it('that is not answered holds up nobody for long', async () => {
    const { asked, look, settle, losePatience } = rig();
    const first = look();
    await settle();
    const second = look();
    losePatience();
    await settle();
    asked[1]?.resolve(2);
    expect(await second).toBe(2);
    asked[0]?.resolve(1);
    expect(await first).toBe(1);
  });

  it('can be given up by one without the others', async () => {
    const { asked, look, settle } = rig();
    const controller = new AbortController();
    const given = look(controller.signal);
    const stays = look();
    controller.abort();
    await expect(given).rejects.toMatchObject({ data: { code: 'CANCELLED' } });
    await expect(look(controller.signal)).rejects.toMatchObject({ data: { code: 'CANCELLED' } });
    await settle();
    asked[0]?.resolve(1);
    expect(await stays).toBe(1);
  });

  it('never gives an answer to a question that was sent before it was asked (property)', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom('ask' as const, 'answer' as const, 'wait' as const), { maxLength: 40 }), async (doings) => {
        const { asked, look, settle } = rig();
        const waiting: Promise<void>[] = [];
        let answered = 0;
        let stale = 0;
        for (const doing of doings) {
          if (doing === 'ask') {
            const sentBefore = asked.length;
            waiting.push(look().then((nth) => void (stale += nth < sentBefore ? 1 : 0)));
          } else if (doing === 'answer' && answered < asked.length) {
            asked[answered]?.resolve(answered);
            answered += 1;
          } else await settle();
        }
        for (; waiting.length > 0 && answered < doings.length + 2; answered += 1) {
          await settle();
          asked[answered]?.resolve(answered);
        }
        await Promise.all(waiting);
        expect(stale).toBe(0);
      }),
    );
  });
});
