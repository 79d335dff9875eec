/** Hands files that the daemon may not read by itself to `POST /uploads`, and puts `asset:ID` in their place. */
import { openAsBlob, statSync } from 'node:fs';
import { basename, isAbsolute } from 'node:path';
import type { WireValue } from '#graph/types.ts';
import { CallsheetError } from '#protocol/errors.ts';
import { isInside } from '#daemon/roots.ts';
import { MEDIA_TYPES } from '#templates/types.ts';
import type { KnownParameters } from './given-parameters.ts';
import type { Session } from './session.ts';

const UPLOADED: ReadonlySet<unknown> = new Set(MEDIA_TYPES);

/** Whoever names a file on the command line means that very file. Throws FILE_NOT_FOUND, UPLOAD_FAILED. */
export async function uploadMedia(
  parameters: Readonly<Record<string, WireValue>>,
  known: KnownParameters,
  session: Session,
): Promise<Record<string, WireValue>> {
  const { roots } = await session.client.call('daemon/status');
  const one = async (name: string, value: WireValue): Promise<WireValue> => {
    if (typeof value !== 'string' || !isAbsolute(value) || roots.some((root) => isInside(root, value))) return value;
    if (statSync(value, { throwIfNoEntry: false })?.isFile() === true) return `asset:${await upload(value, session)}`;
    throw new CallsheetError('FILE_NOT_FOUND', `Parameter "${name}": there is no file ${value}.`, {
      hint: 'Check the path; a relative one starts at the working directory.',
    });
  };
  const entries = Object.entries(parameters).map(async ([name, value]): Promise<[string, WireValue]> => {
    const type = known[name]?.type === 'list' ? known[name].of : known[name]?.type;
    if (!UPLOADED.has(type)) return [name, value];
    return [name, isList(value) ? await Promise.all(value.map((item) => one(name, item))) : await one(name, value)];
  });
  return Object.fromEntries(await Promise.all(entries));
}

// --- helpers ---

function isList(value: WireValue): value is readonly WireValue[] {
  return Array.isArray(value);
}

/** Answers the asset id. Throws UPLOAD_FAILED. */
export async function upload(path: string, { endpoint }: Session): Promise<string> {
  const address = new URL('/uploads', endpoint.url.replace(/^ws/, 'http'));
  const response = await fetch(address, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${endpoint.key}`,
      'content-type': 'application/octet-stream',
      'callsheet-name': encodeURIComponent(basename(path)),
    },
    body: await openAsBlob(path),
  });
  const text = await response.text();
  const answer: unknown = response.ok ? JSON.parse(text) : undefined;
  if (typeof answer === 'object' && answer !== null && 'assetId' in answer) return String(answer.assetId);
  throw new CallsheetError('UPLOAD_FAILED', `The daemon did not take the file ${path}: ${text.trim() || `HTTP ${response.status}`}`);
}
