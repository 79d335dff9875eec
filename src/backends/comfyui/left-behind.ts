/** Looks for the files that an attempt left on the server's disk: a restart forgets queue and history, but not what was saved. */
import { parseGraph } from '#graph/graph.ts';
import type { Attempt, LeftBehind, Payload } from '../contract.ts';
import { expectedFiles } from './expected-files.ts';
import type { Http } from './http.ts';
import { isFields, parsePython } from './replies.ts';
import { beginningOf, isThere } from './view.ts';

export interface Search {
  readonly http: Http;
  readonly objectInfo: (signal?: AbortSignal) => Promise<string>;
  readonly timeoutMs: number;
}

/** Only the server's own folder of this attempt is asked about, by the names that the graph proves; nothing lists a sub-folder. */
export async function findLeft(search: Search, attempt: Attempt, payload: Payload, signal?: AbortSignal): Promise<LeftBehind> {
  const { graph } = parseGraph(payload.text);
  const info = parsePython(await search.objectInfo(signal));
  if (graph === undefined || !isFields(info)) return { state: 'unproven', why: 'the graph cannot be read' };
  const isStill = (name: string): Promise<boolean> => isStillPicture(search, name, signal);
  const { promptId } = attempt;
  const expected = await expectedFiles({ promptId, graph, outputNodes: payload.outputNodes, info, isStill });
  if (typeof expected === 'string') return { state: 'unproven', why: expected };
  let found = 0;
  for (const file of expected.files) if (await isThere(search.http, file, search.timeoutMs, signal)) found += 1;
  if (found === 0) return { state: 'nothing' };
  if (found < expected.files.length) return { state: 'unproven', why: `only ${found} of ${expected.files.length} files are there` };
  for (const file of expected.beyond) {
    if (await isThere(search.http, file, search.timeoutMs, signal)) return { state: 'unproven', why: `${file.filename} is there too` };
  }
  return { state: 'complete', outputs: { files: expected.files, texts: [], cachedNodes: [] } };
}

/** A JPEG is read as one picture by ComfyUI's LoadImage whatever it holds; a PNG is one unless an `acTL` chunk precedes its data. */
async function isStillPicture(search: Search, name: string, signal: AbortSignal | undefined): Promise<boolean> {
  if (/\.jpe?g$/i.test(name)) return true;
  if (!/\.png$/i.test(name)) return false;
  const cut = name.lastIndexOf('/');
  const file = { filename: name.slice(cut + 1), subfolder: cut < 0 ? '' : name.slice(0, cut), type: 'input' } as const;
  const head = await beginningOf(search.http, file, HEAD_BYTES, search.timeoutMs, signal);
  const data = head?.indexOf('IDAT', 0, 'latin1') ?? -1;
  return head !== undefined && data > 0 && !head.subarray(0, data).includes('acTL', 0, 'latin1');
}

/** Metadata may stand before the picture's data. */
const HEAD_BYTES = 1024 * 1024;
