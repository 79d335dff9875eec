/** An execution_error of ComfyUI as an error for a person: which node, what it said, what to do next. */
import type { ErrorData } from '#protocol/errors.ts';
import { CallsheetError } from '#protocol/errors.ts';
import { list, text } from './replies.ts';
import type { Fields } from './replies.ts';

/** The type of the exception differs by accelerator and by version; the sentence is ComfyUI's own or the driver's. */
const MEMORY_TYPE = /OutOfMemory|ArrayMemoryError|(?:^|\.)MemoryError$/i;
const MEMORY_TEXT =
  /out of memory|not enough (?:GPU video |GPU )?memory|can't allocate memory|(?:failed|unable|could not) (?:to )?allocate|ALLOC_FAILED|alloc(?:ation)? failed|this error means you ran out of memory/i;

export function nodeFailure(data: Fields): ErrorData {
  const node = text(data['node_id']) ?? (typeof data['node_id'] === 'number' ? String(data['node_id']) : undefined);
  const className = text(data['node_type']);
  const type = text(data['exception_type']) ?? '';
  const said = firstParagraph(text(data['exception_message']) ?? '');
  const where = node === undefined ? 'A node' : `Node ${node}${className === undefined ? '' : ` (${className})`}`;
  const at = { ...(node === undefined ? {} : { node }), ...(type === '' ? {} : { details: { exceptionType: type } }) };
  if (MEMORY_TYPE.test(type) || MEMORY_TEXT.test(said)) {
    return new CallsheetError('OUT_OF_MEMORY', `${where} ran out of memory on the backend.`, {
      hint: 'Ask for a smaller size or batch, close other programs that use the graphics card, or free the backend and try again.',
      ...at,
    }).data;
  }
  return new CallsheetError('NODE_FAILED', `${where} failed: ${said === '' ? type || 'no reason was given' : said}`, {
    hint: hintFor(type, said, data),
    ...at,
  }).data;
}

function hintFor(type: string, said: string, data: Fields): string {
  if (/DependencyCycle/.test(type)) return 'The node builds a graph that depends on itself: this is a defect of that node pack.';
  if (/FileNotFoundError/.test(type) || /No such file/i.test(said))
    return 'A file that the node reads is missing on the backend: check model and file names.';
  if (/shapes? cannot be multiplied|size mismatch|expected .* channels/i.test(said)) {
    return 'Models of different families were combined: check that checkpoint, LoRA, ControlNet and text encoder belong together.';
  }
  const place = lastFrame(list(data['traceback']));
  return place === undefined ? "See the backend's log for the whole trace." : `Raised at ${place}; the backend's log has the whole trace.`;
}

/** The last `File "…", line N` of a Python traceback, without the folders above the node pack. */
function lastFrame(traceback: readonly unknown[]): string | undefined {
  for (let index = traceback.length - 1; index >= 0; index -= 1) {
    const match = /File "([^"]+)", line (\d+)/.exec(String(traceback[index]));
    if (match?.[1] !== undefined) return `${match[1].split(/[\\/]/).slice(-2).join('/')}:${match[2]}`;
  }
  return undefined;
}

function firstParagraph(said: string): string {
  const trimmed = said.trim().split(/\n\s*\n/)[0] ?? '';
  return trimmed.length > 600 ? `${trimmed.slice(0, 600)}…` : trimmed;
}
