/** File names that every operating system takes, made from text that a user or a template wrote. */

/** Bytes of UTF-8; leaves room below the usual 255 for a number, an extension and the sidecar's ending. */
const LONGEST = 120;

/** Windows keeps these for devices, with any extension and in any case; the superscripts count as digits there. */
const RESERVED = /^(?:con|prn|aux|nul|conin\$|conout\$|clock\$|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)/i;

/** What Windows forbids, control characters, line separators, and the characters that turn the direction of text or hide in it. */
const FORBIDDEN = /[<>:"/\\|?*\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]/gu;

/** What names of eight and three letters end with: such a name may stand for another file on Windows. */
const SHORT = /~(?=\d)/g;

/** Never empty, never hidden, never `..`, never an option or a home folder to a shell; the same text gives the same name. */
export function safeName(text: string): string {
  const cleaned = text
    .normalize('NFC')
    .replaceAll(FORBIDDEN, '_')
    .replaceAll(SHORT, '_')
    .replaceAll(/\s+/gu, ' ')
    .replace(/^[. ~-]+/, '');
  const name = trimEnd(cut(cleaned));
  if (name === '') return 'file';
  return RESERVED.test(name) ? `_${name}` : name;
}

/** Windows drops trailing dots and spaces, which would make two names one. */
function trimEnd(name: string): string {
  let end = name.length;
  while (end > 0 && (name[end - 1] === '.' || name[end - 1] === ' ')) end -= 1;
  return name.slice(0, end);
}

function cut(name: string): string {
  let bytes = 0;
  let kept = '';
  for (const character of name) {
    bytes += Buffer.byteLength(character);
    if (bytes > LONGEST) break;
    kept += character;
  }
  return kept;
}
