/** Which workflow file names a template may use: relative, inside its folder, and possible on every system. */

const RESERVED = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]) *(?:\.|$)/i;

/** Names of at most eight letters with a tilde and a number: Windows takes them for the short name of another file. */
const SHORT = /^[^.]{1,6}~\d{1,3}(?:\.[^.]{0,3})?$/;

/** Controls, and characters that turn the direction of a text or are not seen in it: the name would not be what it looks like. */
const UNSEEN = /\p{Cc}|[\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/u;

/** Bytes: what a part of a path may have everywhere, and a whole one on Windows nearly. */
const LONGEST = 255;

/** A sentence when the name is refused. */
export function refuseWorkflowPath(name: string): string | undefined {
  if (/^(?:[\\/]|[A-Za-z]:|~)/.test(name)) return 'is an absolute path';
  if (name.includes('\\')) return 'has a backslash; folders are divided by / on every system';
  if (Buffer.byteLength(name) > LONGEST) return 'is too long for some systems';
  const parts = name.split('/');
  if (parts.includes('..')) return 'leaves the folder of the template';
  for (const part of parts) {
    if (part === '' || part === '.') return 'has an empty or "." folder in it';
    if (/[<>:"|?*]/.test(part) || UNSEEN.test(part)) return 'has a character that file names cannot have on every system';
    if (/[ .]$/.test(part)) return 'has a part that ends in a dot or a space, which Windows drops';
    if (SHORT.test(part)) return 'has a part that is the short name of another file on Windows';
    if (RESERVED.test(part)) return 'has a part that is the name of a device on Windows';
  }
  return undefined;
}
