/** Which of the files and texts that an attempt gave are the step's own, and in what order they are fetched. Pure. */
import type { RemoteFile, RemoteOutputs, RemoteText } from '#backends/contract.ts';

export interface Wanted {
  readonly output: string;
  /** Position among the files of this node, from 0. */
  readonly index: number;
  readonly file: RemoteFile | RemoteText;
}

/** `declared`: name of an output → node id, or `*`; empty means every file. `nodeOf` says for which node of the template a node stands. */
export function wantedFiles(
  declared: Readonly<Record<string, string>>,
  outputs: Pick<RemoteOutputs, 'files' | 'texts'>,
  nodeOf: (node: string) => string,
): readonly Wanted[] {
  const names = Object.entries(declared);
  const all = names.find(([, node]) => node === '*')?.[0] ?? (names.length === 0 ? '*' : undefined);
  const nameOf = (node: string) => names.find(([, id]) => id === node)?.[0];
  // A node that a patch put in gives its files in the name of the one that it stands for.
  const given = [...outputs.files, ...outputs.texts].map((file) => ({ ...file, node: nodeOf(file.node) }));
  const sure = given.filter((file) => isSure(file) && (nameOf(file.node) !== undefined || (all !== undefined && !isTemporary(file))));
  const rest = given.filter((file) => !isSure(file) && isNeeded(file, sure, nameOf(file.node) !== undefined));
  const counts = new Map<string, number>();
  return [...sure, ...rest].flatMap((file) => {
    const output = nameOf(file.node) ?? all;
    if (output === undefined) return [];
    const index = counts.get(file.node) ?? 0;
    counts.set(file.node, index + 1);
    return [{ output, index, file }];
  });
}

/** Temporary files are gone when the server restarts: they are fetched before the others. */
export function inOrderOfFetching(wanted: readonly Wanted[]): readonly Wanted[] {
  return wanted.toSorted((a, b) => Number(isTemporary(b.file)) - Number(isTemporary(a.file)));
}

type Given = RemoteFile | RemoteText;

/** What a preview shows, and what a node reads, is a result only when a template asks for it by name. */
function isTemporary(file: Given): boolean {
  return 'filename' in file && file.type !== 'output';
}

/** Not guessed from a key that may hold anything, nor from names that savers usually give. */
function isSure(file: Given): boolean {
  return 'filename' in file ? file.isGuess !== true : file.key === undefined;
}

/** A guess counts for a node that is asked for by name and gave nothing else; a file that was found, where there is nothing else at all. */
function isNeeded(file: Given, sure: readonly Given[], isNamed: boolean): boolean {
  if (isNamed) return !sure.some(({ node }) => node === file.node);
  return 'filename' in file && sure.length === 0;
}
