/**
 * To which backends on other machines files may be sent. What a person allowed stands in a file beside the approvals, by address: it fails closed,
 * survives a rebuilt database, and can be looked at and taken back with an editor.
 */
import { readFileSync, renameSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { isCode, writeWhole } from '#results/durable.ts';
import type { Logger } from '../log.ts';

export interface Consent {
  /** Address of the backend, as it is configured. */
  readonly url: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export interface Consents {
  /** True for every backend on this machine. */
  allows(url: string): boolean;
  /** Answers once it is on disk. */
  set(url: string, allowed: boolean): Promise<void>;
}

/** Whether what is sent to the address leaves this machine. A name counts as elsewhere wherever it leads, because that can change. */
export function isElsewhere(url: string): boolean {
  const { hostname } = new URL(url);
  return !(hostname === 'localhost' || hostname === '[::1]' || (isIPv4(hostname) && hostname.startsWith('127.')));
}

/** A file that cannot be read as consents allows nothing; it is moved aside and told. */
export function openConsents(file: string, log: Pick<Logger, 'warn' | 'info'>): Consents {
  const given = new Map(readConsents(file, log).map((consent) => [consent.url, consent]));
  let writing: Promise<unknown> = Promise.resolve();
  return {
    allows: (url) => !isElsewhere(url) || given.has(url),
    async set(url, allowed) {
      const turn = writing.then(async () => {
        const next = [...given.values()].filter((one) => one.url !== url);
        if (allowed) next.push({ url, at: Date.now() });
        await writeWhole(file, `${JSON.stringify({ format: 1, files: next }, null, 2)}\n`);
        given.clear();
        for (const consent of next) given.set(consent.url, consent);
        log.info({ url, allowed }, 'a person decided whether files may be sent to a backend on another machine');
      });
      writing = turn.catch(() => undefined);
      await turn;
    },
  };
}

// --- helpers ---

function readConsents(file: string, log: Pick<Logger, 'warn'>): readonly Consent[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (!isCode(error, 'ENOENT')) log.warn({ err: error, file }, 'the consents to send files cannot be read; none counts');
    return [];
  }
  try {
    const { format, files } = JSON.parse(text) as { readonly format?: unknown; readonly files?: unknown };
    if (format !== 1 || !Array.isArray(files)) throw new Error('it has another form');
    return files.filter(isConsent);
  } catch (error) {
    const aside = `${file}.damaged`;
    log.warn({ err: error, file, movedTo: aside }, 'the consents to send files are damaged; none counts');
    renameSync(file, aside);
    return [];
  }
}

function isConsent(value: unknown): value is Consent {
  if (typeof value !== 'object' || value === null) return false;
  const { url, at } = value as Readonly<Record<string, unknown>>;
  return typeof url === 'string' && URL.canParse(url) && typeof at === 'number';
}
