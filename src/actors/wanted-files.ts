/** Which of the files and texts that an attempt gave are the step's own, and in what order they are fetched. Pure. */
import type { RemoteFile, RemoteOutputs, RemoteText } from '#backends/contract.ts';

export interface Wanted {
  readonly output: string;
  /** Position among the files of this node, from 0. */
  readonly index: number;
  /** With the author's node. */
  readonly file: RemoteFile | RemoteText;
  /** As the backend told of it. */
  readonly found: RemoteFile | RemoteText;
}

/** `declared`: name of an output → node id, or `*`; empty means every file. `nodesOf` says for which nodes of the template a node stands. */
export function wantedFiles(
  declared: Readonly<Record<string, string>>,
  outputs: Pick<RemoteOutputs, 'files' | 'texts'>,
  nodesOf: (node: string) => readonly string[],
): readonly Wanted[] {
  const names = Object.entries(declared);
  const all = names.find(([, node]) => node === '*')?.[0] ?? (names.length === 0 ? '*' : undefined);
  const nameOf = (node: string) => names.find(([, id]) => id === node)?.[0];
  const given = [...outputs.files, ...outputs.texts].flatMap((found) =>
    nodesOf(found.node).map((node): Given => ({ file: { ...found, node }, found })),
  );
  const isNamed = ({ file }: Given) => nameOf(file.node) !== undefined;
  const sure = given.filter((one) => isSure(one.file) && (isNamed(one) || (all !== undefined && !isTemporary(one.file))));
  const sureFiles = sure.map(({ file }) => file);
  const rest = given.filter((one) => !isSure(one.file) && isNeeded(one.file, sureFiles, isNamed(one)));
  const counts = new Map<string, number>();
  return [...sure, ...rest].flatMap(({ file, found }) => {
    const output = nameOf(file.node) ?? all;
    if (output === undefined) return [];
    const index = counts.get(file.node) ?? 0;
    counts.set(file.node, index + 1);
    return [{ output, index, file, found }];
  });
}

/** Temporary files are gone when the server restarts: they are fetched before the others. */
export function inOrderOfFetching(wanted: readonly Wanted[]): readonly Wanted[] {
  return wanted.toSorted((a, b) => Number(isTemporary(b.file)) - Number(isTemporary(a.file)));
}

type Told = RemoteFile | RemoteText;
type Given = Pick<Wanted, 'file' | 'found'>;

/** What a preview shows, and what a node reads, is a result only when a template asks for it by name. */
function isTemporary(file: Told): boolean {
  return 'filename' in file && file.type !== 'output';
}

/** Not guessed from a key that may hold anything, nor from names that savers usually give. */
function isSure(file: Told): boolean {
  return 'filename' in file ? file.isGuess !== true : file.key === undefined;
}

/** A guess counts for a node that is asked for by name and gave nothing else; a file that was found, where there is nothing else at all. */
function isNeeded(file: Told, sure: readonly Told[], isNamed: boolean): boolean {
  if (isNamed) return !sure.some(({ node }) => node === file.node);
  return 'filename' in file && sure.length === 0;
}
