/** Which workflow file names a template may use: relative, inside its folder, and possible on every system. */

const RESERVED = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)/i;

/** A sentence when the name is refused. */
export function refuseWorkflowPath(name: string): string | undefined {
  if (/^(?:[\\/]|[A-Za-z]:|~)/.test(name)) return 'is an absolute path';
  if (name.includes('\\')) return 'has a backslash; folders are divided by / on every system';
  const parts = name.split('/');
  if (parts.includes('..')) return 'leaves the folder of the template';
  for (const part of parts) {
    if (part === '' || part === '.') return 'has an empty or "." folder in it';
    if (/[<>:"|?*]/.test(part) || Array.from(part).some((character) => character < ' '))
      return 'has a character that file names cannot have on every system';
    if (/[ .]$/.test(part)) return 'has a part that ends in a dot or a space, which Windows drops';
    if (RESERVED.test(part)) return 'has a part that is the name of a device on Windows';
  }
  return undefined;
}
