/** What a command does while it follows a run that waits for a choice: takes the pick that was given, asks on a terminal, else says how. */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { CallsheetError } from '#protocol/errors.ts';
import type { RunEvent } from '#protocol/events.ts';
import type { ChoiceView } from '#protocol/views.ts';
import { type Io, line } from '../io.ts';
import type { Reporter } from '../reporter.ts';
import type { Session } from '../session.ts';
import { howToChoose, questionLines } from './choice-text.ts';
import { asValue } from './presets.ts';

/** Pause before a daemon that went away is asked again, in milliseconds. */
const RETRY_MS = 500;

export interface ChooserOptions {
  readonly session: Session;
  readonly runId: string;
  readonly reporter: Reporter;
  readonly io: Io;
  readonly json: boolean;
  /** Choice → values that stand from the beginning. */
  readonly presets: ReadonlyMap<string, readonly string[]>;
  /** A preset was refused, or the daemon cannot be asked: nothing that can be mended by asking again. */
  readonly onError: (error: unknown) => void;
}

export interface Chooser {
  /** Every event of the run's log, those from before included. */
  event(event: RunEvent): void;
  stop(): void;
}

export function createChooser(options: ChooserOptions): Chooser {
  const { session, runId, reporter, io, json, presets, onError } = options;
  /** Choices that somebody is being asked about here. */
  const asking = new Map<string, AbortController>();
  let turn: Promise<void> = Promise.resolve();

  /** The same wish under the same key, until a daemon that went away has heard it. */
  const choose = (into: string, values: readonly string[], signal: AbortSignal) => {
    const request = { runId, into, values: values.map((value) => asValue(value, io.cwd)), requestKey: randomUUID() };
    return untilHeard(() => session.client.call('run/choose', request), signal);
  };

  async function offered(into: string, signal: AbortSignal): Promise<void> {
    const answer = await untilHeard(() => session.client.call('run/get', { runId }), signal);
    if (answer === undefined) return;
    const { run } = answer;
    const choice = run.choices?.find((one) => one.into === into);
    if (choice?.status !== 'waiting' || signal.aborted) return;
    const preset = presets.get(into);
    if (preset !== undefined) await unlessMade(() => choose(into, preset, signal));
    else if (io.ask !== undefined && !json) await askFor(choice, io.ask, signal);
    else tell(choice);
  }

  function tell(choice: ChoiceView): void {
    if (!json) for (const text of questionLines(choice)) line(io.out, text);
    reporter.say(howToChoose(runId, choice));
  }

  async function askFor(choice: ChoiceView, ask: NonNullable<Io['ask']>, signal: AbortSignal): Promise<void> {
    reporter.hold();
    try {
      for (const text of questionLines(choice)) line(io.out, text);
      for (;;) {
        const answer = await ask(`${promptOf(choice)} `, signal);
        if (signal.aborted) return;
        const values = answer === undefined ? undefined : valuesIn(answer, choice);
        if (values === undefined) {
          line(io.out, howToChoose(runId, choice));
          return;
        }
        const refused = await refusal(() => choose(choice.into, values, signal));
        if (refused === undefined) return;
        line(io.out, `${refused.message} ${refused.data.hint ?? ''}`.trim());
      }
    } finally {
      reporter.release();
    }
  }

  return {
    event({ event }) {
      if (event.type === 'choice.offered') {
        const { into } = event;
        const controller = new AbortController();
        asking.get(into)?.abort();
        asking.set(into, controller);
        // One question at a time.
        turn = turn.then(() => offered(into, controller.signal)).catch(onError);
      } else if (event.type === 'choice.made' || event.type === 'choice.status') asking.get(event.into)?.abort();
      else if (event.type === 'run.status' && event.status === 'cancelling') abortAll();
    },
    stop: abortAll,
  };

  function abortAll(): void {
    for (const controller of asking.values()) controller.abort();
  }
}

// --- helpers ---

/** Undefined when nobody waits for the answer any more. */
async function untilHeard<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  while (!signal.aborted) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof CallsheetError) || error.code !== 'CONNECTION_LOST') throw error;
      await pause(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }
  return undefined;
}

function promptOf({ pick: { min, max } }: ChoiceView): string {
  const what = max === 1 ? 'Index, file name or id' : 'Indices, file names or ids';
  return `${what}${min === 0 ? ', "none" for nothing' : ''}; Enter to leave it open:`;
}

/** Undefined: left open. Several picks are parted by spaces or commas, so that a single one may hold them. */
function valuesIn(answer: string, { pick: { min, max } }: ChoiceView): readonly string[] | undefined {
  const text = answer.trim();
  if (text === '') return undefined;
  if (min === 0 && text === 'none') return [];
  return max === 1 ? [text] : text.split(/[\s,]+/).filter((value) => value !== '');
}

/** Undefined when it was taken, or made by somebody else meanwhile. */
async function refusal(work: () => Promise<unknown>): Promise<CallsheetError | undefined> {
  try {
    await unlessMade(work);
    return undefined;
  } catch (error) {
    if (error instanceof CallsheetError && error.code === 'CHOICE_INVALID') return error;
    throw error;
  }
}

async function unlessMade(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof CallsheetError) || error.code !== 'CHOICE_NOT_WAITING') throw error;
  }
}
