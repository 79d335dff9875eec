/** Files of nodes that save and report nothing: looked for in the attempt's own folder, by the names that savers are known to give (comfyui.md 3.1). */
import { CallsheetError } from '#protocol/errors.ts';
import type { RemoteFile, RemoteOutputs } from '../contract.ts';
import { fileNames, numbersIn } from './file-names.ts';
import type { NameParts } from './file-names.ts';
import type { Http } from './http.ts';
import { ownFolder } from './prompt.ts';
import { isFields, list, text } from './replies.ts';
import type { Fields } from './replies.ts';
import { isThere } from './view.ts';

/** Files of one node; a batch of more is no batch. */
const MOST_FILES = 1000;
const AT_ONCE = 4;

export interface Looking {
  readonly http: Http;
  readonly timeoutMs: number;
}

/** What the history entry's nodes saved without a word, added to what they said. Nothing lists a sub-folder, so names are tried. */
export async function withSilent(looking: Looking, entry: Fields, outputs: RemoteOutputs, signal?: AbortSignal): Promise<RemoteOutputs> {
  const [, promptId, prompt, , roots] = list(entry['prompt']);
  if (typeof promptId !== 'string' || !isFields(prompt)) return outputs;
  const spoke = new Set([...Object.keys(isFields(entry['outputs']) ? entry['outputs'] : {}), ...outputs.files.map(({ node }) => node)]);
  const files: RemoteFile[] = [];
  for (const node of list(roots).map(String)) {
    const saver = spoke.has(node) ? undefined : saverAt(prompt[node], promptId);
    if (saver === undefined) continue;
    const found = await findNames(looking, saver, signal);
    files.push(
      ...found.map((filename): RemoteFile => ({
        node,
        key: 'filename_prefix',
        filename,
        subfolder: saver.folder,
        type: 'output',
        isGuess: true,
      })),
    );
  }
  return files.length === 0 ? outputs : { ...outputs, files: [...outputs.files, ...files] };
}

interface Saver {
  readonly folder: string;
  readonly names: NameParts;
}

/** Only a node that was told to save in the attempt's own folder; what lies elsewhere may be anybody's. */
function saverAt(node: unknown, promptId: string): Saver | undefined {
  const inputs = isFields(node) && isFields(node['inputs']) ? node['inputs'] : undefined;
  const prefix = text(inputs?.['filename_prefix']);
  const classType = isFields(node) ? text(node['class_type']) : undefined;
  if (inputs === undefined || prefix === undefined || classType === undefined || prefix.includes('%')) return undefined;
  const path = inputs['output_path'];
  const full = typeof path === 'string' && `${path}/`.startsWith(ownFolder(promptId)) ? `${path}/${prefix}` : prefix;
  if (!full.startsWith(ownFolder(promptId))) return undefined;
  const cut = full.lastIndexOf('/');
  return { folder: full.slice(0, cut), names: { classType, stem: full.slice(cut + 1), inputs } };
}

async function findNames(
  { http, timeoutMs }: Looking,
  { folder, names }: Saver,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const exists = (filename: string) => isFound(isThere(http, { filename, subfolder: folder, type: 'output' }, timeoutMs, signal));
  const candidates = fileNames(names);
  for (let start = 0; start < candidates.length; start += AT_ONCE) {
    const part = candidates.slice(start, start + AT_ONCE);
    const there = await Promise.all(part.map((candidate) => exists(candidate.at(1))));
    const pattern = part[there.indexOf(true)];
    if (pattern === undefined) continue;
    const found = [pattern.at(1)];
    // One after the other: numbers have no gaps in a folder that is this attempt's own.
    for (const number of numbersIn(pattern, MOST_FILES)) {
      if (!(await exists(pattern.at(number)))) break;
      found.push(pattern.at(number));
    }
    return found;
  }
  return [];
}

/** A server that does not take such a name has no such file; only one that cannot be reached says nothing. */
async function isFound(question: Promise<boolean>): Promise<boolean> {
  try {
    return await question;
  } catch (error) {
    if (!(error instanceof CallsheetError) || error.code === 'BACKEND_UNREACHABLE' || error.code === 'CANCELLED') throw error;
    return false;
  }
}
