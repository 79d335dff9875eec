/** What a file carries beside its pictures and sounds, as clients see it: short enough for one answer, and never a failure of the question. */
import { CallsheetError } from '#protocol/errors.ts';
import type { EmbeddedView } from '#protocol/methods/artifact.ts';
import type { Inspection, Inspector } from '#results/inspect/inspector.ts';

/** Bytes of one text, and of all texts of an answer. Longer ones are told by their length. */
const LONGEST_TEXT = 1024 * 1024;
const MOST_BYTES = 4 * 1024 * 1024;

export async function embeddedIn(path: string, inspector: Pick<Inspector, 'inspect'>): Promise<EmbeddedView> {
  try {
    return viewOf(await inspector.inspect(path));
  } catch (error) {
    if (!(error instanceof CallsheetError)) throw error;
    return { readable: false, workflows: [], texts: [], leftOut: [], draft: false, error: error.data };
  }
}

// --- helpers ---

function viewOf({ isKnown, texts, leftOut, workflows, draft }: Inspection): EmbeddedView {
  let left = MOST_BYTES;
  const cut = (text: string) => {
    const bytes = Buffer.byteLength(text);
    if (bytes > Math.min(LONGEST_TEXT, left)) return { bytes };
    left -= bytes;
    return { bytes, text };
  };
  return {
    readable: isKnown,
    // What a person asks for comes first, so that it is not what is left out.
    workflows: (['api', 'ui', 'wan2gp'] as const).flatMap((format) => {
      const found = workflows[format];
      return found === undefined ? [] : [{ format, key: found.key, ...cut(found.text) }];
    }),
    texts: texts.map(({ key, text }) => ({ key, ...cut(text) })),
    leftOut,
    draft,
  };
}
