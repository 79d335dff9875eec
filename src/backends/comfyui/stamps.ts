/** What tells one content of a server's file from another without reading it: size and time of its last change, as the server lists them. */
import type { ServerFile } from '../contract.ts';
import type { Http } from './http.ts';
import { finite, isFields, parsePython, text } from './replies.ts';

/** Folders of files that are not models. */
const INPUT = 'input';
/** Listings of model folders of studios are long. */
const LIST_BYTES = 64 * 1024 * 1024;

/** In the order of `files`; undefined where the server does not say. Throws BACKEND_UNREACHABLE. */
export async function readStamps(
  http: Http,
  timeoutMs: number,
  files: readonly ServerFile[],
  signal?: AbortSignal,
): Promise<readonly (string | undefined)[]> {
  const folders = [...new Set(files.flatMap(({ folder }) => (folder === INPUT ? [] : [folder])))];
  const listings = new Map(
    await Promise.all(folders.map(async (folder) => [folder, await listing(http, timeoutMs, folder, signal)] as const)),
  );
  return Promise.all(
    files.map(async ({ folder, name }) => (folder === INPUT ? inputStamp(http, timeoutMs, name, signal) : listings.get(folder)?.(name))),
  );
}

// --- helpers ---

/** Since 0.3.10 or so; older servers answer 404, which says nothing. */
async function listing(http: Http, timeoutMs: number, folder: string, signal: AbortSignal | undefined) {
  const path = `/experiment/models/${encodeURIComponent(folder)}`;
  const reply = await http.send({ method: 'GET', path, timeoutMs, maxBytes: LIST_BYTES, signal });
  const byName = new Map<string, string[]>();
  for (const entry of reply.status === 200 ? safely(reply.text) : []) {
    const name = isFields(entry) ? text(entry['name']) : undefined;
    if (!isFields(entry) || name === undefined) continue;
    const [size, modified] = [finite(entry['size']), finite(entry['modified'])];
    if (size === undefined || modified === undefined) continue;
    for (const key of new Set([plain(name), withoutEnding(plain(name))])) {
      byName.set(key, [...(byName.get(key) ?? []), `${String(size)} bytes of ${String(modified)}`]);
    }
  }
  // One name in several folders is one of them: which one the server takes it does not say, so all of them count.
  return (name: string): string | undefined => byName.get(plain(name))?.toSorted().join(' or ');
}

/** `sub/name.png [output]`: only the head of the answer is read. */
async function inputStamp(http: Http, timeoutMs: number, name: string, signal: AbortSignal | undefined): Promise<string | undefined> {
  const [, bare = name, type = INPUT] = /^(.*?) ?\[(input|output|temp)\]$/.exec(name) ?? [];
  const cut = Math.max(bare.lastIndexOf('/'), bare.lastIndexOf('\\'));
  const query = new URLSearchParams({ filename: bare.slice(cut + 1), subfolder: cut < 0 ? '' : bare.slice(0, cut), type });
  const incoming = await http.open({ method: 'GET', path: `/view?${query.toString()}`, timeoutMs, isFile: true, signal });
  incoming.destroy();
  const { etag, 'last-modified': modified, 'content-length': length } = incoming.headers;
  if (incoming.statusCode !== 200) return undefined;
  if (etag !== undefined) return etag;
  return modified === undefined || length === undefined ? undefined : `${length} bytes of ${modified}`;
}

function safely(source: string): readonly unknown[] {
  try {
    const value = parsePython(source);
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}

const plain = (name: string): string => name.replaceAll('\\', '/');
/** Embeddings are named in prompts without it. */
const withoutEnding = (name: string): string => name.replace(/\.[A-Za-z0-9]{1,12}$/, '');
