/** The daemon's configuration: options over environment over defaults; every mistake is said at once, before anything is opened. */
import { homedir } from 'node:os';
import { delimiter, join, parse, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CallsheetError } from '#protocol/errors.ts';
import type { Problem } from '#protocol/problem.ts';
import { parseBackends, SPLIT_BACKENDS } from './backend-spec.ts';
import type { BackendSpec } from './backend-spec.ts';
import type { StallPolicy } from '#actors/deps.ts';
import { LEAST_LOG_BYTES, USUAL_LOG_BYTES } from './log-file.ts';
import type { LogLevel } from './log.ts';
import { DOOR_LIMITS } from './limits.ts';
import type { DoorLimits } from './limits.ts';
import { defaultDataDir } from './places.ts';
import type { Environment } from './places.ts';
import { parsePolicies, type RetentionPolicy } from './retention/policy.ts';
import { runtimeFilePath } from './runtime-file.ts';
import { tracingEndpoint, type TracingEndpoint } from './tracing/endpoint.ts';
import { type PoolSettings, USUAL_POOL } from './scheduler/settings.ts';

export interface DaemonConfig {
  /** Absolute, as all paths here. */
  readonly dataDir: string;
  /** 0 takes any free port. The host is always 127.0.0.1. */
  readonly port: number;
  readonly backends: readonly BackendSpec[];
  /** In order: of two templates with one id and version the first is kept. */
  readonly templateDirs: readonly string[];
  /** Below it lie templates that came from somebody else, which wait for approval; it lies in a template directory. */
  readonly importDir: string;
  readonly approvalsFile: string;
  /** Directories whose files media parameters may name. */
  readonly roots: readonly string[];
  readonly outputDir: string;
  readonly runtimeFile: string;
  /** Milliseconds for which a backend that refuses connections is waited for: before anything was sent, and with work on it. */
  readonly graceMs: number;
  readonly restartGraceMs: number;
  /** Milliseconds between tries. */
  readonly retryMs: number;
  readonly stall: StallPolicy;
  readonly logLevel: LogLevel;
  /** True writes readable log lines to stderr. */
  readonly logToTerminal: boolean;
  /** The log files together, in bytes. */
  readonly logBytes: number;
  /** Where spans go; undefined: nobody asked for traces. */
  readonly tracing: TracingEndpoint | undefined;
  /** Where the key of scope read is written for a scraper; undefined: nowhere. */
  readonly metricsKeyFile: string | undefined;
  readonly limits: DoorLimits;
  readonly pool: PoolSettings;
  /** Bytes that results may be kept in; 0 keeps none; undefined leaves it to the size of the disk. */
  readonly cacheBytes: number | undefined;
  /** Applied by themselves, one after the other; none: nothing is ever cleaned away by itself. */
  readonly retention: readonly RetentionPolicy[];
  /** True: it lives in the process of a command and ends with that; clients are told by the runtime file. */
  readonly ofCommand?: boolean;
}

/** As the command line gives them. */
export interface ConfigOptions {
  readonly data?: string;
  readonly port?: string | number;
  /** `comfyui=URL`, `ID:comfyui=URL`, `sandbox`, `ID:sandbox`, each with options of the pool: `,gpu=0,ahead=2,assume-lost-after=30m`. */
  readonly backends?: readonly string[];
  readonly templates?: readonly string[];
  readonly roots?: readonly string[];
  readonly out?: string;
  readonly logToTerminal?: boolean;
  /** `older-than=30d,keep=20,max-bytes=20GB`; several behind semicolons. */
  readonly retention?: string;
}

const STALL_ACTIONS: readonly StallPolicy['action'][] = ['note', 'interrupt'];
const LOG_LEVELS: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/** The curated library that comes with Callsheet. */
const OWN_TEMPLATES = fileURLToPath(new URL('../../templates', import.meta.url));

/** Throws CONFIG_INVALID with one problem for each mistake. */
export function parseConfig(options: ConfigOptions = {}, env: Environment = process.env, cwd: string = process.cwd()): DaemonConfig {
  const problems: Problem[] = [];
  const problem = (code: string, message: string, hint: string): void => {
    problems.push({ code, severity: 'error', message, hint });
  };
  const absolute = (path: string): string => resolve(cwd, path);
  const dataDir = options.data === undefined ? defaultDataDir(env) : absolute(options.data);
  const outputDir = absolute(options.out ?? read(env, 'CALLSHEET_OUT') ?? join(dataDir, 'output'));
  const ownDir = join(dataDir, 'templates');
  const templateDirs = [...(options.templates ?? paths(env, 'CALLSHEET_TEMPLATES')).map(absolute), ownDir, OWN_TEMPLATES];
  const roots = [...(options.roots ?? paths(env, 'CALLSHEET_ROOTS')).map(absolute), ...projectRoot(cwd, env), outputDir];
  const wantedLevel = read(env, 'CALLSHEET_LOG_LEVEL') ?? 'info';
  const logLevel = LOG_LEVELS.find((level) => level === wantedLevel);
  if (logLevel === undefined) problem('CONFIG_LOG_LEVEL', 'CALLSHEET_LOG_LEVEL is not a level.', `One of ${LOG_LEVELS.join(', ')}.`);
  const { backends, problems: backendProblems } = parseBackends(options.backends ?? words(env, 'CALLSHEET_BACKENDS'), env);
  problems.push(...backendProblems);
  const whole = (text: string | number | undefined, otherwise: number, most: number, name: string): number => {
    if (text === undefined) return otherwise;
    const value = Number(text);
    if (Number.isInteger(value) && value >= 0 && value <= most && String(text).trim() !== '') return value;
    problem('CONFIG_NUMBER', `${name} must be a whole number from 0 to ${most}.`, `It was given "${String(text).slice(0, 40)}".`);
    return otherwise;
  };
  const port = whole(options.port ?? read(env, 'CALLSHEET_PORT'), 0, 65_535, '--port');
  const graceMs = whole(read(env, 'CALLSHEET_GRACE_MS'), 10_000, 86_400_000, 'CALLSHEET_GRACE_MS');
  const restartGraceMs = whole(read(env, 'CALLSHEET_RESTART_GRACE_MS'), 60_000, 86_400_000, 'CALLSHEET_RESTART_GRACE_MS');
  const retryMs = whole(read(env, 'CALLSHEET_RETRY_MS'), 1000, 3_600_000, 'CALLSHEET_RETRY_MS');
  const stallMs = whole(read(env, 'CALLSHEET_STALL_MS'), 600_000, 86_400_000, 'CALLSHEET_STALL_MS');
  const stallAction = STALL_ACTIONS.find((action) => action === (read(env, 'CALLSHEET_STALL_ACTION') ?? 'note'));
  if (stallAction === undefined) {
    problem('CONFIG_STALL_ACTION', 'CALLSHEET_STALL_ACTION is no action.', `One of ${STALL_ACTIONS.join(', ')}.`);
  }
  const maxOpenRuns = whole(read(env, 'CALLSHEET_MAX_RUNS'), USUAL_POOL.maxOpenRuns, 1_000_000, 'CALLSHEET_MAX_RUNS');
  const cacheBytes = size(read(env, 'CALLSHEET_CACHE'));
  if (cacheBytes === 'invalid') {
    problem('CONFIG_CACHE', 'CALLSHEET_CACHE is no size.', 'Write a number of bytes, or 500M, 20G; 0 or off keeps no results.');
  }
  const logBytes = size(read(env, 'CALLSHEET_LOG_BYTES')) ?? USUAL_LOG_BYTES;
  if (logBytes === 'invalid' || logBytes < LEAST_LOG_BYTES) {
    problem('CONFIG_LOG_BYTES', 'CALLSHEET_LOG_BYTES is no size.', 'Write a number of bytes, or 50M; at least 1M.');
  }
  const keyFile = read(env, 'CALLSHEET_METRICS_KEY_FILE');
  const retention = parsePolicies(options.retention ?? read(env, 'CALLSHEET_RETENTION') ?? '');
  if ('problem' in retention) {
    problem(
      'CONFIG_RETENTION',
      retention.problem,
      'Write e.g. older-than=30d,keep=20,max-bytes=20GB; with template=ID for one template alone.',
    );
  }
  if (problems.length > 0) {
    const [first] = problems;
    throw new CallsheetError('CONFIG_INVALID', first?.message ?? 'The configuration is wrong.', {
      problems,
      ...(first?.hint === undefined ? {} : { hint: first.hint }),
    });
  }
  return {
    dataDir,
    port,
    backends,
    templateDirs: [...new Set(templateDirs)],
    importDir: join(ownDir, 'imported'),
    approvalsFile: join(dataDir, 'approvals.json'),
    roots: [...new Set(roots)],
    outputDir,
    runtimeFile: runtimeFilePath(dataDir, env),
    graceMs,
    restartGraceMs,
    retryMs,
    stall: { limitMs: stallMs, leastMs: 60_000, lookMs: 2000, askMs: 30_000, action: stallAction ?? 'note' },
    logLevel: logLevel ?? 'info',
    logToTerminal: options.logToTerminal ?? false,
    logBytes: logBytes === 'invalid' ? USUAL_LOG_BYTES : logBytes,
    tracing: tracingEndpoint(env),
    metricsKeyFile: keyFile === undefined ? undefined : absolute(keyFile),
    limits: DOOR_LIMITS,
    cacheBytes: cacheBytes === 'invalid' ? undefined : cacheBytes,
    retention: 'problem' in retention ? [] : retention.policies,
    pool: { maxOpenRuns, backends: Object.fromEntries(backends.map(({ id, pool }) => [id, pool])) },
  };
}

// --- helpers ---

const UNITS: Readonly<Record<string, number>> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 };

/** Undefined when nothing is said. */
function size(text: string | undefined): number | undefined | 'invalid' {
  if (text === undefined) return undefined;
  if (text.toLowerCase() === 'off') return 0;
  const [, digits = '', unit = ''] = /^(\d{1,12})\s*([KMGT]?)(?:i?B)?$/i.exec(text.trim()) ?? [];
  const bytes = Number(digits) * (UNITS[unit.toUpperCase()] ?? 1);
  return digits === '' || !Number.isSafeInteger(bytes) ? 'invalid' : bytes;
}

/** The directory one works in, unless it holds everything one has: started from there, nothing was meant by it. */
function projectRoot(cwd: string, env: Environment): readonly string[] {
  const tooWide = [parse(cwd).root, resolve(env['HOME'] ?? homedir())];
  return tooWide.includes(resolve(cwd)) ? [] : [resolve(cwd)];
}

function read(env: Environment, name: string): string | undefined {
  const value = env[name];
  return value === undefined || value === '' ? undefined : value;
}

function paths(env: Environment, name: string): readonly string[] {
  return (read(env, name) ?? '').split(delimiter).filter((part) => part !== '');
}

function words(env: Environment, name: string): readonly string[] {
  return (read(env, name) ?? '').split(SPLIT_BACKENDS).filter((part) => part !== '');
}
