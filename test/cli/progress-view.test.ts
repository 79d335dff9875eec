import fc from 'fast-check';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createPaint } from '#cli/paint.ts';
import { barLine, type LiveRun, renderRun } from '#cli/progress-view.ts';
import { STEP_STATUSES, type StepView } from '#protocol/views.ts';

const plain = createPaint({ write: () => undefined }, {});
const colourful = createPaint({ isTTY: true, write: () => undefined }, {});

const step = (id: string, more: Partial<StepView> = {}): StepView => ({
  id,
  status: 'pending',
  items: 1,
  itemsDone: 0,
  progress: 0,
  attempts: [],
  ...more,
});
const run = (more: Partial<LiveRun> = {}): LiveRun => ({
  template: 't',
  version: '1.0.0',
  status: 'running',
  progress: 0.5,
  draft: false,
  steps: [
    step('base', { title: 'Base look', status: 'done' }),
    step('face', { status: 'running', items: 4, itemsDone: 1, progress: 0.25 }),
  ],
  ...more,
});

describe('the progress view', () => {
  it('has a line for each step and the bar with percent and ETA', () => {
    expect(renderRun(run({ etaSeconds: 65 }), 100, plain).split('\n')).toEqual([
      '✔ Base look done',
      '▸ face      running 1/4 25 %',
      `${'█'.repeat(20)}${'░'.repeat(20)}  50 %  running  about 1 min 05 s left`,
    ]);
  });

  it('gives the range of what is left where it is wide, and the middle where it is not', () => {
    expect(barLine(run({ etaSeconds: 60, etaRange: [54, 66] }), 100, plain)).toContain('about 1 min 00 s left');
    expect(barLine(run({ etaSeconds: 60, etaRange: [30, 120] }), 100, plain)).toContain('  30 s to 2 min 00 s left');
    expect(barLine(run({ etaSeconds: 2, etaRange: [1, 4] }), 100, plain)).toContain('about 2 s left');
  });

  it('says why a step was skipped or failed', () => {
    const steps = [
      step('face', { status: 'skipped', reason: 'params.face is null' }),
      step('clip', { status: 'failed', reason: 'out of memory' }),
    ];
    expect(renderRun(run({ steps }), 80, plain)).toContain('face     skipped: params.face is null');
    expect(renderRun(run({ steps }), 80, plain)).toContain('clip     failed: out of memory');
  });

  it('names a draft as one', () => {
    expect(barLine(run({ draft: true }), 80, plain)).toContain('(draft)');
  });

  it('is never wider than the terminal and never shows escape codes of a title', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 20, max: 200 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.constantFrom(...STEP_STATUSES),
        fc.string({ maxLength: 60 }),
        (columns, progress, status, title) => {
          const steps = [step('a', { title: `\u001b[2J${title}`, status, progress, reason: title })];
          for (const text of renderRun(run({ steps, progress, etaSeconds: 12, etaRange: [1, 40] }), columns, colourful).split('\n')) {
            expect(stripVTControlCharacters(text).length).toBeLessThanOrEqual(columns);
            expect(text).not.toContain('\u001b[2J');
          }
        },
      ),
    );
  });

  it('colours only where NO_COLOR is not set', () => {
    const output = { isTTY: true, write: () => undefined };
    expect(createPaint(output, {}).good('x')).not.toBe('x');
    expect(createPaint(output, { NO_COLOR: '1' }).good('x')).toBe('x');
    expect(createPaint(output, { TERM: 'dumb' }).good('x')).toBe('x');
    expect(plain.good('x')).toBe('x');
  });
});
