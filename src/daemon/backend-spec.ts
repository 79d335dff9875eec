/** Backend specifications as people write them: `comfyui=http://127.0.0.1:8188`, `farm:comfyui=https://…`, `sandbox`. */
import { isIPv4 } from 'node:net';
import type { Problem } from '#protocol/problem.ts';
import type { Environment } from './places.ts';
import type { BackendSettings } from './scheduler/settings.ts';

export type BackendSpec = (
  | { readonly id: string; readonly kind: 'comfyui'; readonly url: string; readonly headers: Readonly<Record<string, string>> }
  | { readonly id: string; readonly kind: 'sandbox' }
) & { readonly pool: BackendSettings };

const ID = /^[a-z0-9][a-z0-9-]{0,31}$/;
const FORM = 'Write comfyui=URL, ID:comfyui=URL or sandbox.';

/** Options of a backend stand behind its address, each after a comma. */
const OPTION = '(?:ahead|gpu|assume-lost-after)=';
const SPLIT_OPTIONS = new RegExp(`,(?=${OPTION})`);
/** For lists of backends in one text, whose commas may be those of options. */
export const SPLIT_BACKENDS = new RegExp(`(?:\\s|,(?!${OPTION}))+`);

/** None given: the sandbox, which draws storyboard cards. It never stands beside a real backend unless it was named. */
export function parseBackends(
  given: readonly string[],
  env: Environment,
): { readonly backends: readonly BackendSpec[]; readonly problems: readonly Problem[] } {
  const backends: BackendSpec[] = [];
  const problems: Problem[] = [];
  for (const text of given.length === 0 ? ['sandbox'] : given) {
    const shown = `--backend ${withoutSecrets(text)}`;
    const problem = (message: string, hint: string): void => {
      problems.push({ code: 'CONFIG_BACKEND', severity: 'error', message: `${shown}: ${message}`, hint });
    };
    const [what = '', ...options] = text.split(SPLIT_OPTIONS);
    const pool = readOptions(options, problem);
    const match = /^(?:([^:=]*):)?([a-z0-9]+)(?:=(.*))?$/s.exec(what);
    const [, givenId, kind, address] = match ?? [];
    if (match === null || (kind !== 'comfyui' && kind !== 'sandbox')) {
      problem('this kind of backend is not known.', FORM);
      continue;
    }
    const id = givenId ?? freeId(kind, backends);
    if (!ID.test(id))
      problem('the id must be lower-case letters, digits and dashes, at most 32.', 'Example: farm-2:comfyui=http://10.0.0.5:8188');
    else if (backends.some((backend) => backend.id === id))
      problem(`the id "${id}" is taken by another backend.`, 'Give each its own: ID:comfyui=URL');
    else if (kind === 'sandbox') {
      if (address === undefined) backends.push({ id, kind, pool });
      else problem('the sandbox takes no address; it runs inside the daemon.', 'Write sandbox. For one that runs elsewhere: comfyui=URL');
    } else {
      const url = parseAddress(address ?? '');
      const headers = headersOf(id, env);
      if ('wrong' in url) problem(url.wrong, url.hint);
      else if (headers === undefined) {
        problem(`${headerVariable(id)} is not a JSON object of strings.`, `Example: ${headerVariable(id)}='{"Authorization":"Bearer …"}'`);
      } else backends.push({ id, kind, url: url.url, headers, pool });
    }
  }
  return { backends, problems };
}

/** Headers for a proxy in front of a backend come from the environment: the command line can be read by every user of the machine. */
export function headerVariable(id: string): string {
  return `CALLSHEET_HEADERS_${id.toUpperCase().replaceAll('-', '_')}`;
}

// --- helpers ---

const MOST_AHEAD = 1000;
const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 };

function readOptions(options: readonly string[], problem: (message: string, hint: string) => void): BackendSettings {
  const settings: { ahead?: number; gpu?: string; assumeLostAfterMs?: number } = {};
  for (const option of options) {
    const [name = '', value = ''] = option.split('=');
    if (name === 'gpu') {
      if (/^[\w.-]{1,64}$/.test(value)) settings.gpu = value;
      else problem('gpu must be a name of letters, digits, dots and dashes.', 'Backends with the same name share one card: gpu=0');
    } else if (name === 'ahead') {
      if (/^\d{1,4}$/.test(value) && Number(value) >= 1 && Number(value) <= MOST_AHEAD) settings.ahead = Number(value);
      else problem(`ahead must be a whole number from 1 to ${String(MOST_AHEAD)}.`, 'It is how many attempts may be sent ahead: ahead=2');
    } else {
      const [, count, unit = ''] = /^(\d{1,6})([smh])$/.exec(value) ?? [];
      const factor = UNITS[unit];
      if (count !== undefined && factor !== undefined && Number(count) > 0) settings.assumeLostAfterMs = Number(count) * factor;
      else problem('assume-lost-after must be a time.', 'Example: assume-lost-after=30m, with s, m or h.');
    }
  }
  return settings;
}

function freeId(kind: string, taken: readonly BackendSpec[]): string {
  if (!taken.some(({ id }) => id === kind)) return kind;
  let number = 2;
  while (taken.some(({ id }) => id === `${kind}-${number}`)) number += 1;
  return `${kind}-${number}`;
}

function parseAddress(text: string): { readonly url: string } | { readonly wrong: string; readonly hint: string } {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return { wrong: 'the address is not a URL.', hint: 'Example: comfyui=http://127.0.0.1:8188' };
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    return { wrong: 'the address must begin with http:// or https://.', hint: FORM };
  if (url.username !== '' || url.password !== '') {
    return { wrong: 'the address must not hold a user or password.', hint: 'Put an Authorization header into CALLSHEET_HEADERS_ID.' };
  }
  if (url.search !== '' || url.hash !== '') return { wrong: 'the address must not hold a query or fragment.', hint: FORM };
  // Link-local addresses are where clouds keep machine credentials.
  if (isLinkLocal(url.hostname))
    return { wrong: 'link-local addresses are not taken.', hint: 'Use the address of the machine in your network.' };
  return { url: url.href.replace(/\/+$/, '') };
}

function isLinkLocal(host: string): boolean {
  return (isIPv4(host) && host.startsWith('169.254.')) || /^\[fe[89ab]/i.test(host) || /^\[::ffff:a9fe:/i.test(host);
}

function headersOf(id: string, env: Environment): Readonly<Record<string, string>> | undefined {
  const text = env[headerVariable(id)];
  if (text === undefined || text === '') return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    const entries = Object.entries(value);
    return entries.every(isText) ? Object.fromEntries(entries) : undefined;
  } catch {
    return undefined;
  }
}

function isText(pair: [string, unknown]): pair is [string, string] {
  return typeof pair[1] === 'string' && !/[\r\n]/.test(pair[1]);
}

function withoutSecrets(text: string): string {
  return text.replace(/\/\/[^/@]*@/, '//…@').slice(0, 200);
}
