// A database that another program holds: who waits, who is told, and in which order it goes on.
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createContention } from '#daemon/contention.ts';
import { CallsheetError } from '#protocol/errors.ts';

const HELD = new CallsheetError('STORAGE_BUSY', 'Another program keeps it busy.', { hint: 'Close it.' });

/** Time passes with the pauses alone. */
function open() {
  const time = { now: 0 };
  const pauses: number[] = [];
  const told: string[] = [];
  const note = (_: unknown, message?: string) => void told.push(message ?? '');
  const contention = createContention(
    { info: note, warn: note },
    {
      now: () => time.now,
      async sleep(milliseconds) {
        pauses.push(milliseconds);
        time.now += milliseconds;
        await turn();
      },
      random: () => 1,
    },
  );
  /** A write that finds the database held so many times. */
  const after = <T>(times: number, value: T) => {
    let left = times;
    return (): T => {
      if (left === 0) return value;
      left -= 1;
      throw HELD;
    };
  };
  return { contention, time, pauses, told, after };
}

describe('a write while another program holds the database', () => {
  it('is made at once where it can be, before anything else happens', () => {
    const { contention } = open();
    const done: string[] = [];
    void contention.write(() => void done.push('written'));
    expect(done).toEqual(['written']);
    expect(contention.state(() => undefined)).toEqual({ status: 'ready' });
  });

  it('is tried again after ever longer pauses, and what came later waits behind it', async () => {
    const { contention, pauses, after } = open();
    const order: string[] = [];
    const first = contention.write(after(5, 'first')).then((value) => order.push(value));
    const second = contention.write(() => 'second').then((value) => order.push(value));
    expect(contention.state(() => undefined)).toMatchObject({
      status: 'busy',
      message: 'Another program keeps it busy.',
      hint: 'Close it.',
    });
    await Promise.all([first, second]);
    expect(order).toEqual(['first', 'second']);
    expect(pauses).toEqual([20, 40, 80, 160, 250]);
    expect(contention.state(() => undefined)).toEqual({ status: 'ready' });
  });

  it('is refused after five seconds as something to repeat, and never made after that', async () => {
    const { contention, time, after } = open();
    let made = false;
    const write = contention.write(() => {
      after(1, undefined)();
      made = true;
    });
    await expect(write).rejects.toMatchObject({
      data: { code: 'STORAGE_BUSY', retryable: true, message: 'Another program keeps it busy. Nothing was changed.', hint: 'Close it.' },
    });
    expect(time.now).toBeGreaterThan(5000);
    expect(time.now).toBeLessThan(6000);
    await turn();
    expect(made).toBe(false);
  });

  it('keeps nobody waiting that long again while it lasts', async () => {
    const { contention, time, after } = open();
    await expect(contention.write(after(1000, ''))).rejects.toMatchObject({ code: 'STORAGE_BUSY' });
    const before = time.now;
    await expect(contention.write(after(1000, ''))).rejects.toMatchObject({ code: 'STORAGE_BUSY' });
    expect(time.now - before).toBeLessThan(1000);
    expect(await contention.write(after(1, 'free again'))).toBe('free again');
  });

  it('fails at once for any other reason, and those behind it go on', async () => {
    const { contention, after } = open();
    const failing = contention.write(() => {
      throw new CallsheetError('STORAGE_FAILED', 'The disk is full.');
    });
    await expect(failing).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    expect(await contention.write(after(2, 'later'))).toBe('later');
  });

  it('is told in the log once when it lasts, and once when it is over', async () => {
    const { contention, told, after } = open();
    await contention.write(after(3, ''));
    expect(told).toEqual([]);
    await contention.write(after(15, ''));
    expect(told).toEqual(['another program holds the database; what is to be written waits', 'the database can be written again']);
  });

  it('is tried out by who asks for the state when nobody else has for a while', async () => {
    const { contention, time } = open();
    contention.putOff(HELD);
    expect(contention.state(() => undefined).status).toBe('busy');
    time.now += 1500;
    const held = () => {
      throw HELD;
    };
    expect(contention.state(held)).toMatchObject({ status: 'busy', seconds: 0 });
    time.now += 1500;
    expect(contention.state(() => undefined)).toEqual({ status: 'ready' });
  });
});
