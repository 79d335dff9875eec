/** What the page does to a prompt before it sends it, as far as it does the same on every run. */
import { plainValue, type Value } from './value.ts';

/** Block comments, and `//` to the end of the line: the page cuts addresses such as https://… too. */
const COMMENTS = /\/\*[^]*?\*\/|\/\/.*/g;
const UNESCAPED_BRACE = /(?<!\\)(?:\\\\)*\{/;

/**
 * Comments are taken out, and `\{`, `\}` and `\|` lose their backslash. A text with choices is left alone as a whole: the page would
 * draw one of them, and a placeholder of a template looks the same.
 */
export function sentPrompt(value: Value): Value {
  const { text } = value;
  if (text === undefined) return value;
  const bare = text.replace(COMMENTS, '');
  if (UNESCAPED_BRACE.test(bare)) return value;
  const sent = bare.replace(/\\([{}|])/g, '$1');
  return sent === text ? value : plainValue(sent);
}
