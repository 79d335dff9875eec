/** What libraries and programs say when they fail, as one clause for people: without paths of the working folder, which is gone by then. Pure. */

export const DISK_FULL = 'the disk is full';
export const DISK_FILLS = 'the disk would run full';
export const NO_PICTURE = 'there is no picture in it';
export const NO_SOUND = 'there is no sound in it';

const LONGEST = 300;

/** Of what sharp or the system threw; libvips tells the cause first and then what became of it. */
export function clauseOfError(error: unknown, directory: string): string {
  const words = error instanceof Error ? error.message : String(error);
  return known(words) ?? readable(words, directory)[0] ?? 'it failed without a word';
}

/** Of a program's last words, of which the last line says most. Undefined where there are none. */
export function clauseOfProgram(words: string, directory: string): string | undefined {
  return known(words) ?? readable(words, directory).at(-1);
}

/** What to do, where the clause tells. */
export function cureOf(clause: string): { readonly hint?: string } {
  return clause === DISK_FULL || clause === DISK_FILLS ? { hint: 'Make room on the disk, and try the run again.' } : {};
}

// --- helpers ---

function known(words: string): string | undefined {
  if (/\bENOSPC\b|\bEDQUOT\b|no space left on device|disk quota exceeded/i.test(words)) return DISK_FULL;
  // ffmpeg's "Stream map '0:a:0' matches no streams." and "Stream specifier ':v:0' in filtergraph … matches no streams."
  const [, stream] = /^.*Stream (?:map|specifier) '[^']*:([av]):.*matches no streams/m.exec(words) ?? [];
  if (stream === undefined) return undefined;
  return stream === 'v' ? NO_PICTURE : NO_SOUND;
}

/** Its lines, without control characters. */
function readable(words: string, directory: string): readonly string[] {
  return words
    .split(/[\r\n]+/)
    .map((line) => line.replaceAll(/\p{C}/gu, ' ').trim())
    .filter((line) => line !== '')
    .map((line) =>
      line
        .replaceAll(`${directory}/`, '')
        .replaceAll(/file:\S+/g, 'the file')
        .slice(0, LONGEST),
    );
}
