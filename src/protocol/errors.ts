/**
 * The registry of error codes and the one error class that carries them.
 * Every code here has a row in docs/errors.md; a test holds the two together.
 */
import type { Problem } from './problem.ts';

/** JSON-RPC 2.0 section 5.1 codes and our one server range. */
export const RPC = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internalError: -32603,
  notInitialized: -32002,
  unauthorized: -32001,
  tooMany: -32005,
  storage: -32010,
  gap: -32011,
  failed: -32000,
} as const;

interface ErrorEntry {
  readonly rpc: number;
  /** True when the same call can succeed later without any change by the caller. */
  readonly retryable: boolean;
  /** What it means, for docs/errors.md. */
  readonly meaning: string;
}

const entry = (rpc: number, retryable: boolean, meaning: string): ErrorEntry => ({ rpc, retryable, meaning });

export const ERRORS = {
  PARSE_ERROR: entry(RPC.parseError, false, 'The frame is not JSON.'),
  INVALID_REQUEST: entry(RPC.invalidRequest, false, 'The JSON is not a JSON-RPC 2.0 request.'),
  METHOD_NOT_FOUND: entry(RPC.methodNotFound, false, 'No such method.'),
  INVALID_PARAMS: entry(RPC.invalidParams, false, 'The params do not fit the method; `problems` lists every misfit.'),
  INTERNAL: entry(RPC.internalError, false, 'A defect in Callsheet; the log has the details.'),
  NOT_INITIALIZED: entry(RPC.notInitialized, false, 'The connection has not been initialized.'),
  UNAUTHORIZED: entry(RPC.unauthorized, false, 'The key is missing or wrong.'),
  FORBIDDEN: entry(RPC.unauthorized, false, "The key's scope does not allow this method."),
  TOO_MANY_REQUESTS: entry(RPC.tooMany, true, 'A limit of the connection or the queue was reached.'),
  STORAGE_FAILED: entry(RPC.storage, true, 'The data directory could not be written.'),
  STORAGE_BUSY: entry(RPC.storage, true, 'Another program holds the database; nothing was changed by the call, unless it says so.'),
  STORAGE_LOCKED: entry(RPC.storage, false, 'Another daemon holds the data directory.'),
  STORAGE_NEWER: entry(RPC.storage, false, 'The data directory was written by a newer Callsheet.'),
  STORAGE_CORRUPT: entry(RPC.storage, false, 'The database is damaged.'),
  EVENT_GAP: entry(RPC.gap, false, 'Events after `since` are not available in this epoch.'),
  TEMPLATE_NOT_FOUND: entry(RPC.failed, false, 'No template has this id and version.'),
  TEMPLATE_NOT_RUNNABLE: entry(RPC.invalidParams, false, 'The template has errors; `problems` lists them.'),
  TEMPLATE_NOT_APPROVED: entry(RPC.failed, false, 'The template was imported and its present content has not been approved.'),
  TEMPLATE_CHANGED: entry(RPC.invalidParams, false, 'The template is not the one that was looked at: its hash is another.'),
  TEMPLATE_EXISTS: entry(RPC.failed, false, 'Another template has this id, or this id and version.'),
  IMPORT_REFUSED: entry(RPC.invalidParams, false, 'The file holds nothing that can be imported, or is unsafe; `problems` lists why.'),
  EXPORT_REFUSED: entry(RPC.failed, false, 'The template or run can not be exported; `problems` lists why.'),
  PARAMETERS_INVALID: entry(RPC.invalidParams, false, 'Parameters are missing, unknown or out of bounds; `problems` lists all of them.'),
  PATH_NOT_ALLOWED: entry(RPC.invalidParams, false, 'The path lies outside every approved root.'),
  ASSET_NOT_FOUND: entry(RPC.invalidParams, false, 'No upload has this id.'),
  ARTIFACT_NOT_FOUND: entry(RPC.failed, false, 'No artifact has this id.'),
  RUN_NOT_FOUND: entry(RPC.failed, false, 'No run has this id.'),
  CHOICE_NOT_WAITING: entry(
    RPC.failed,
    false,
    'The run does not wait for this choice: it was made, is not offered yet, or the run has ended.',
  ),
  CHOICE_INVALID: entry(
    RPC.invalidParams,
    false,
    'The pick is not among the candidates, or not as many as are asked for; `details` has the candidates.',
  ),
  CHOICE_IMPOSSIBLE: entry(RPC.failed, false, 'A choice asks for more than the step before it gave.'),
  CHOICE_TIMED_OUT: entry(RPC.failed, false, 'Nobody made the choice in the time that the template gives.'),
  RUN_NOT_RETRYABLE: entry(RPC.failed, false, 'The run has not ended, succeeded, or cannot go on from that step.'),
  RUN_SET_ASIDE: entry(RPC.failed, false, 'The daemon died again and again while it worked on the run.'),
  RUN_REBUILT: entry(RPC.failed, false, 'The run was made again of its files after the database was lost; how it ended is not proven.'),
  STEP_NOT_FOUND: entry(RPC.invalidParams, false, 'The run has no step with this id.'),
  REQUEST_KEY_CONFLICT: entry(RPC.invalidParams, false, 'The requestKey was used before with another method or other parameters.'),
  SNAPSHOT_REFUSED: entry(RPC.failed, false, 'A stored run no longer fits its machine and no migration is known.'),
  BACKEND_NOT_FOUND: entry(RPC.invalidParams, false, 'No backend has this id.'),
  CONSENT_NEEDED: entry(RPC.failed, false, 'A file would be sent to a backend on another machine, and nobody has allowed that.'),
  BACKEND_UNREACHABLE: entry(RPC.failed, true, 'The backend refused the connection or did not answer.'),
  BACKEND_NOT_COMFYUI: entry(RPC.failed, false, 'Something answered at the address, but not as ComfyUI does.'),
  BACKEND_HTTP: entry(RPC.failed, true, 'The backend answered with an HTTP error.'),
  BACKEND_WORKER_DEAD: entry(
    RPC.failed,
    true,
    'The backend answers, but the thread that executes prompts has died: it takes prompts and executes none.',
  ),
  BACKEND_TOO_OLD: entry(RPC.failed, false, 'The backend is older than Callsheet can work with.'),
  BACKEND_ANSWERS: entry(RPC.failed, false, 'The backend answers, so its attempts can not be assumed lost.'),
  ATTEMPT_ASSUMED_LOST: entry(
    RPC.failed,
    true,
    'The backend did not answer, and a person or its policy gave the attempt up without proof.',
  ),
  BACKEND_RESTARTED: entry(RPC.failed, true, 'The backend restarted and forgot the attempt.'),
  PROMPT_REJECTED: entry(RPC.failed, false, 'The backend refused the graph; `problems` names nodes and inputs.'),
  PROMPT_REMOVED: entry(RPC.failed, false, 'Somebody removed the prompt from the backend.'),
  PROMPT_INTERRUPTED: entry(RPC.failed, false, 'Somebody interrupted the prompt on the backend.'),
  NODE_FAILED: entry(RPC.failed, false, 'A node raised an exception.'),
  OUT_OF_MEMORY: entry(RPC.failed, true, 'The backend ran out of memory.'),
  STEP_STALLED: entry(RPC.failed, true, 'Nothing moved for longer than usual, and the policy had the attempt interrupted.'),
  CONVERSION_FAILED: entry(RPC.failed, false, 'A file could not be converted as the template asks; the file itself is kept.'),
  OUTPUT_MISSING: entry(RPC.failed, false, 'The prompt finished without an output that the step declares.'),
  OUTPUT_INVALID: entry(RPC.failed, true, 'An output was empty, cut short or not the media it claims to be.'),
  UPLOAD_FAILED: entry(RPC.failed, true, 'An input file could not be uploaded to the backend.'),
  STEP_INPUT_MISSING: entry(RPC.failed, false, 'A step refers to an output that does not exist or is a list where one value belongs.'),
  PROTOCOL_UNSUPPORTED: entry(RPC.failed, false, 'Client and daemon have no protocol version in common.'),
  CONFIG_INVALID: entry(RPC.failed, false, 'An option, environment variable or backend specification is wrong.'),
  PORT_UNAVAILABLE: entry(RPC.failed, true, 'The port that was asked for can not be listened on.'),
  RUNTIME_DIR_UNSAFE: entry(RPC.failed, false, 'The runtime directory or file could be read or replaced by somebody else.'),
  DAEMON_NOT_RUNNING: entry(RPC.failed, true, 'No daemon answers for this data directory.'),
  DAEMON_UNTRUSTED: entry(RPC.failed, false, 'Something answered at the address, but could not prove that it is the daemon.'),
  CONNECTION_LOST: entry(RPC.failed, true, 'The connection to the daemon ended before the answer came.'),
  FILE_NOT_FOUND: entry(RPC.invalidParams, false, 'The file does not exist or is not a regular file.'),
  FILE_TOO_LARGE: entry(RPC.invalidParams, false, 'The file is larger than the limit for its kind.'),
  FILE_TOO_COMPLEX: entry(RPC.failed, false, 'Looking into the file takes more time or memory than is spent on one.'),
  MEDIA_INVALID: entry(RPC.invalidParams, false, 'The content of the file is not the kind of media that the parameter takes.'),
  OUT_NOT_WRITTEN: entry(RPC.failed, false, 'The results could not be copied to the directory that the command line names.'),
  CANCELLED: entry(RPC.failed, false, 'The run was cancelled.'),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERRORS;

/** Plain form of an error: what is stored, sent and shown. */
export interface ErrorData {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
  readonly retryable: boolean;
  readonly problems?: readonly Problem[];
  readonly step?: string;
  readonly node?: string;
  /** Facts for programs: `retryAfterMs`, `epoch`, `seq`, `pid`. Never input, paths of others or stacks. */
  readonly details?: Readonly<Record<string, unknown>>;
}

export interface ErrorExtras {
  readonly hint?: string;
  readonly problems?: readonly Problem[];
  readonly step?: string;
  readonly node?: string;
  readonly retryable?: boolean;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** The one error class of Callsheet. `message` is a sentence for a person, `code` is stable. */
export class CallsheetError extends Error {
  readonly code: ErrorCode;
  readonly data: ErrorData;

  constructor(code: ErrorCode, message: string, extras: ErrorExtras = {}) {
    super(message, extras.cause === undefined ? undefined : { cause: extras.cause });
    this.name = 'CallsheetError';
    this.code = code;
    const { hint, problems, step, node, details } = extras;
    this.data = {
      code,
      message,
      retryable: extras.retryable ?? ERRORS[code].retryable,
      ...(hint === undefined ? {} : { hint }),
      ...(problems === undefined ? {} : { problems }),
      ...(step === undefined ? {} : { step }),
      ...(node === undefined ? {} : { node }),
      ...(details === undefined ? {} : { details }),
    };
  }

  static from(data: ErrorData): CallsheetError {
    return new CallsheetError(data.code, data.message, data);
  }
}

/** Any thrown thing as plain data; what is not ours becomes INTERNAL without its stack. */
export function toErrorData(error: unknown): ErrorData {
  if (error instanceof CallsheetError) return error.data;
  if (isErrorData(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'INTERNAL', message, retryable: false, hint: 'This is a defect in Callsheet. Please report it with the log.' };
}

export function isErrorData(value: unknown): value is ErrorData {
  return (
    typeof value === 'object' &&
    value !== null &&
    'code' in value &&
    typeof value.code === 'string' &&
    Object.hasOwn(ERRORS, value.code) &&
    'message' in value
  );
}
