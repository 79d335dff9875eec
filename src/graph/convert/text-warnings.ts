/** Texts that the front end rewrites on every run and this conversion leaves alone. */
import type { ConvertedInput } from './emit.ts';
import { nameUi } from './names.ts';
import type { Report } from './report.ts';
import type { UiNode } from './shapes.ts';

export function textWarnings(node: UiNode, id: string, inputs: ReadonlyMap<string, ConvertedInput>, report: Report): void {
  for (const [name, { json, link }] of inputs) {
    if (link !== undefined || !json.startsWith('"')) continue;
    const spec = node.nodeClass?.inputs.get(name);
    const warn = (code: string, message: string, hint: string): void =>
      report.add({ code, severity: 'warning', message, hint, at: node.at, node: id, input: name });
    const named = `Input "${name}" of ${nameUi(node, id).replace('Node', 'node')}`;
    if (spec?.options['dynamicPrompts'] === true && hasChoices(json)) {
      warn(
        'CONVERT_DYNAMIC_PROMPT',
        `${named} has choices such as {a|b}, of which ComfyUI's browser page draws one on every run; they are left as text.`,
        'Write one of the choices, or a parameter in braces.',
      );
    }
    if (name === 'filename_prefix' && hasToken(json)) {
      warn(
        'CONVERT_TEXT_REPLACEMENT',
        `${named} has a form such as %date:…% or %Node.widget%, which ComfyUI's browser page replaces; it is left as text.`,
        'Write the name without it, or use a parameter. %width%, %height% and %year% to %second% work on every server.',
      );
    }
  }
}

/** `{a|b}` without a brace inside. One pass: the text may be megabytes of braces. */
function hasChoices(text: string): boolean {
  let open = false;
  let bar = false;
  for (const char of text) {
    if (char === '{') [open, bar] = [true, false];
    else if (char === '|') bar = open;
    else if (char === '}') {
      if (bar) return true;
      open = false;
    }
  }
  return false;
}

/** `%date:…%` or `%Node.widget%`. */
function hasToken(text: string): boolean {
  const parts = text.split('%');
  return parts.some((part, index) => index > 0 && index < parts.length - 1 && /^[^\\/:.]+[:.]/.test(part));
}
