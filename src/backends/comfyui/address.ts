/** Where a ComfyUI server lives: checks the address, and builds every URL from it so that nothing a server says can send us elsewhere. */
import { lookup as dnsLookup } from 'node:dns';
import type { LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import type { LookupFunction } from 'node:net';
import { CallsheetError } from '#protocol/errors.ts';

export interface Address {
  /** `http://host:port/base`, without a trailing slash: for people, free of credentials. */
  readonly label: string;
  readonly secure: boolean;
  readonly hostname: string;
  readonly port: number;
  /** Path of the server behind a proxy, `` or `/base`. */
  readonly base: string;
}

/** Throws INVALID_PARAMS: only http and https, no user name, no query (reliability.md row 23). */
export function parseAddress(url: string): Address {
  const refuse = (why: string): never => {
    throw new CallsheetError('INVALID_PARAMS', `The backend address ${JSON.stringify(withoutUser(url))} cannot be used: ${why}.`, {
      hint: 'Give it as http://HOST:PORT, for example http://127.0.0.1:8188. Keys belong into the headers or the token of the backend.',
    });
  };
  if (!URL.canParse(url)) return refuse('it is not a URL');
  const parsed = new URL(url);
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') return refuse('only http and https are spoken');
  if (parsed.username !== '' || parsed.password !== '') return refuse('it carries a user name or a password');
  if (parsed.search !== '' || parsed.hash !== '') return refuse('it carries a query or a fragment');
  const hostname = parsed.hostname.replace(/^\[|\]$/g, '');
  if (isIP(hostname) !== 0 && isLinkLocal(hostname)) return refuse('link-local addresses are never spoken to');
  const secure = parsed.protocol === 'https:';
  const base = parsed.pathname.replace(/\/+$/, '');
  return { label: `${parsed.origin}${base}`, secure, hostname, port: parsed.port === '' ? (secure ? 443 : 80) : Number(parsed.port), base };
}

function withoutUser(url: string): string {
  return url.replace(/\/\/[^/@]*@/, '//');
}

/** 169.254.0.0/16 and fe80::/10: cloud metadata services live there, ComfyUI never does. */
export function isLinkLocal(ip: string): boolean {
  const plain = ip.toLowerCase();
  const mapped = /^::ffff:(?:(\d+\.\d+\.\d+\.\d+)|([0-9a-f]{1,4}):[0-9a-f]{1,4})$/.exec(plain);
  if (mapped?.[1] !== undefined) return mapped[1].startsWith('169.254.');
  if (mapped?.[2] !== undefined) return mapped[2] === 'a9fe';
  return plain.startsWith('169.254.') || /^fe[89ab][0-9a-f]:/.test(plain);
}

/** A name is checked where it is resolved, so that the address checked is the address connected to. */
export const guardedLookup: LookupFunction = (hostname, options, callback) => {
  dnsLookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
    if (error !== null) {
      callback(error, '', 0);
      return;
    }
    const bad = addresses.find((entry) => isLinkLocal(entry.address));
    if (bad !== undefined) {
      callback(Object.assign(new Error(`${hostname} resolves to the link-local address ${bad.address}`), { code: 'ELINKLOCAL' }), '', 0);
      return;
    }
    const first = addresses[0];
    if (options.all === true) callback(null, addresses);
    else if (first === undefined) callback(Object.assign(new Error(`${hostname} has no address`), { code: 'ENOTFOUND' }), '', 0);
    else callback(null, first.address, first.family);
  });
};
