/** Which names the entries of a bundle may have: relative, plain, and one file each on every file system. */
import { refuseWorkflowPath } from '../workflow-paths.ts';
import { isAllowedKind } from './limits.ts';

const MOST_LEVELS = 4;
const LONGEST_PART = 100;
const LONGEST = 200;

/** Controls, direction marks and other invisible characters that make a name look like another. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u;

/** Why the name is refused, as the end of a sentence. */
export function refuseEntryName(name: string): string | undefined {
  if (name === '') return 'has no name';
  if (INVISIBLE.test(name)) return 'has an invisible character in its name';
  const refused = refuseWorkflowPath(name);
  if (refused !== undefined) return refused;
  if (/~\d/.test(name)) return 'looks like a short name of Windows';
  const parts = name.split('/');
  if (parts.length > MOST_LEVELS) return `lies more than ${MOST_LEVELS - 1} folders deep`;
  if (parts.some((part) => part.startsWith('.'))) return 'is hidden';
  if (Buffer.byteLength(name) > LONGEST || parts.some((part) => Buffer.byteLength(part) > LONGEST_PART))
    return 'has a name that is too long';
  if (!isAllowedKind(name)) return 'is of a kind that no template needs';
  return undefined;
}

/** Equal for names that are one file on some system: case and Unicode composition do not count. */
export function foldName(name: string): string {
  return name.normalize('NFKC').toLowerCase().toUpperCase().normalize('NFKC');
}
