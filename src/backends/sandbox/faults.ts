/** Faults that the sandbox can commit on demand, each one seen on a real ComfyUI or a proxy in front of it. */
import { readFileSync } from 'node:fs';
import { CallsheetError } from '#protocol/errors.ts';

export interface SandboxFaults {
  /** Cuts every socket instead of sending the Nth message (counted from 1 over the server's life). Happens once. */
  dropSocketAtEvent?: number;
  /** Sockets stay open and send nothing more (ComfyUI#16010). */
  muteSockets?: boolean;
  /** Milliseconds between `execution_success` and the history entry (ComfyUI#11540). */
  historyDelayMs?: number;
  /** The next N POST /prompt are enqueued and their connection is cut before the answer. */
  losePromptResponses?: number;
  /** Milliseconds before /object_info answers. */
  objectInfoDelayMs?: number;
  /** A running prompt notices an interrupt only after this many milliseconds (ComfyUI#1920: model loads do not look). */
  ignoreInterruptMs?: number;
  /** Every HTTP answer is a proxy's HTML page with this status. */
  htmlStatus?: number;
  /** Behaves like ComfyUI 0.3.45: no jobs API, /interrupt ignores its body, any prompt_id, `invalid_prompt`. */
  oldServer?: boolean;
  /** Bare NaN in answers: in the prompts of queue and history and in the object info. */
  nan?: boolean;
  /** Largest body in bytes; above it the answer is 413. */
  maxBodyBytes?: number;
  /** The worker dies at the next prompt: HTTP lives, the prompt stays "running" for ever (ComfyUI#11513). */
  crashWorker?: boolean;
  /** The next N prompts run out of memory at their first node that is really executed. */
  outOfMemory?: number;
  /** Class → how many of its next executions fail with an exception. */
  failNodes?: Record<string, number>;
  /** The next `slowStarts` prompts are silent for `slowStartMs` before their first node, as when a model is loaded. */
  slowStarts?: number;
  slowStartMs?: number;
  /** Sub-folders in model names and outputs are written with a backslash, as on Windows. */
  windowsSeparators?: boolean;
}

type Kind = 'number' | 'boolean' | 'counts';

const KINDS: Readonly<Record<keyof SandboxFaults, Kind>> = {
  dropSocketAtEvent: 'number',
  muteSockets: 'boolean',
  historyDelayMs: 'number',
  losePromptResponses: 'number',
  objectInfoDelayMs: 'number',
  ignoreInterruptMs: 'number',
  htmlStatus: 'number',
  oldServer: 'boolean',
  nan: 'boolean',
  maxBodyBytes: 'number',
  crashWorker: 'boolean',
  outOfMemory: 'number',
  failNodes: 'counts',
  slowStarts: 'number',
  slowStartMs: 'number',
  windowsSeparators: 'boolean',
};

const WORDS = { number: 'number from 0 up', boolean: 'boolean', counts: 'table of class names and numbers' } as const;

function fits(given: unknown, kind: Kind): boolean {
  if (kind !== 'counts') return typeof given === kind && (typeof given !== 'number' || given >= 0);
  return typeof given === 'object' && given !== null && Object.values(given).every((count) => typeof count === 'number' && count >= 0);
}

/** Throws CallsheetError INVALID_PARAMS naming the first unknown or mistyped fault. */
export function checkFaults(value: unknown): SandboxFaults {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refuse('Faults are a JSON object.');
  for (const [name, given] of Object.entries(value)) {
    const kind = new Map<string, Kind>(Object.entries(KINDS)).get(name);
    if (kind === undefined) throw refuse(`The sandbox knows no fault named "${name}".`);
    if (!fits(given, kind)) throw refuse(`The fault "${name}" takes a ${WORDS[kind]}.`);
  }
  return { ...value };
}

/** Reads a faults file (`callsheet sandbox --faults FILE`). Throws CallsheetError INVALID_PARAMS with the file's name. */
export function loadFaults(file: string): SandboxFaults {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw refuse(`The faults file ${file} could not be read: ${error instanceof Error ? error.message : String(error)}`, error);
  }
  return checkFaults(value);
}

function refuse(message: string, cause?: unknown): CallsheetError {
  return new CallsheetError('INVALID_PARAMS', message, { hint: `Known faults: ${Object.keys(KINDS).join(', ')}.`, cause });
}

/** Uses up one of a counted fault; false when none is left. */
export function takeFault(faults: SandboxFaults, name: 'losePromptResponses' | 'outOfMemory' | 'slowStarts'): boolean {
  const left = faults[name] ?? 0;
  if (left > 0) faults[name] = left - 1;
  return left > 0;
}
