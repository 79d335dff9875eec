/** What the page does to a prompt before it sends it, as far as it does the same on every run. */
import { changedValue, type Value } from './value.ts';

const UNESCAPED_BRACE = /(?<!\\)(?:\\\\)*\{/;

/**
 * Comments are taken out, and `\{`, `\}` and `\|` lose their backslash. A text with choices is left alone as a whole: the page would
 * draw one of them, and a placeholder of a template looks the same.
 */
export function sentPrompt(value: Value): Value {
  const { text } = value;
  if (text === undefined) return value;
  const bare = withoutComments(text);
  if (UNESCAPED_BRACE.test(bare)) return value;
  const sent = bare.replace(/\\([{}|])/g, '$1');
  return sent === text ? value : changedValue(value, sent);
}

/** Block comments, and `//` to the end of the line: the page cuts addresses such as https://… too. One pass over the text. */
function withoutComments(text: string): string {
  let kept = '';
  let from = 0;
  let blocks = true;
  for (let at = text.indexOf('/'); at !== -1; at = text.indexOf('/', at + 1)) {
    const next = text[at + 1];
    let end = -1;
    if (next === '*' && blocks) {
      end = text.indexOf('*/', at + 2);
      blocks = end !== -1;
      if (blocks) end += 2;
    } else if (next === '/') {
      end = text.slice(at).search(/[\n\r\u2028\u2029]/);
      end = end === -1 ? text.length : at + end;
    }
    if (end === -1) continue;
    kept += text.slice(from, at);
    from = end;
    at = end - 1;
  }
  return kept + text.slice(from);
}
