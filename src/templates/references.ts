/** Checks every placeholder of a template text: declared, a list only where a list can stand, types that can meet. */
import type { Problem } from '#protocol/problem.ts';
import { declares, type Environment, explainUnknown, isOurs, kindOf, kindOfPath } from './environment.ts';
import { parsePlaceholder, parseText, type Placeholder, type Reference, type TextTemplate } from './grammar.ts';

/** Makes a problem at the place where the text was written. */
export type Report = (problem: Pick<Problem, 'code' | 'severity' | 'message'> & { readonly hint: string }) => void;

export interface TextPlace {
  readonly environment: Environment;
  readonly report: Report;
  /** Written for us on purpose (`set`, `each`, `from`): an unknown name alone is an error instead of a warning. */
  readonly ours: boolean;
  /** Collects what is referred to. */
  readonly uses: (reference: Reference) => void;
}

/** Undefined when the text holds nothing of ours. */
export function compileText(text: string, place: TextPlace): TextTemplate | undefined {
  if (!text.includes('{')) return undefined;
  const declared = declares(place.environment);
  const strangers = new Map<string, Placeholder>();
  const template = parseText(text, (placeholder) => {
    const ours = declared(placeholder);
    if (!ours) strangers.set(placeholder.text, placeholder);
    return ours;
  });
  for (const placeholder of strangers.values()) reportUnknown(placeholder, text, place);
  if (/\{ | \}/.test(text)) reportSpaces(text, declared, place);
  for (const part of template?.parts ?? []) {
    if (typeof part === 'object') checkPlaceholder(part, template?.whole === undefined, place);
  }
  return template;
}

/** A field that must be exactly one placeholder. */
export function compileReference(text: string, field: string, place: TextPlace): Placeholder | undefined {
  const placeholder = text.startsWith('{') && text.endsWith('}') ? parsePlaceholder(text.slice(1, -1)) : undefined;
  if (placeholder === undefined) {
    const hint = `Write one placeholder and nothing else, e.g. "${field}": "{steps.base.portrait}".`;
    place.report({ code: 'TEMPLATE_REFERENCE_INVALID', severity: 'error', message: `"${field}" is not a placeholder.`, hint });
    return undefined;
  }
  if (!declares(place.environment)(placeholder)) {
    reportUnknown(placeholder, text, place);
    return undefined;
  }
  checkPlaceholder(placeholder, false, place);
  return placeholder;
}

function reportUnknown(placeholder: Placeholder, text: string, { environment, report, ours }: TextPlace): void {
  for (const reference of placeholder.alternatives) {
    if (kindOf(reference, environment) !== undefined) continue;
    const severity = isOurs(reference) || (ours && placeholder.text === text) ? 'error' : 'warning';
    report({ code: 'TEMPLATE_REFERENCE_UNKNOWN', severity, ...explainUnknown(reference, environment) });
  }
}

function reportSpaces(text: string, declared: (placeholder: Placeholder) => boolean, { report }: TextPlace): void {
  for (const [spaced, body = ''] of text.matchAll(/\{ {0,8}([^{} ][^{}]{0,200}?) {0,8}\}/g)) {
    const placeholder = parsePlaceholder(body);
    if (spaced === `{${body}}` || placeholder === undefined || !declared(placeholder)) continue;
    const message = `"${spaced}" stays text: a placeholder has no spaces at its ends.`;
    report({ code: 'TEMPLATE_PLACEHOLDER_SPACES', severity: 'warning', message, hint: `Write {${body}}.` });
  }
}

function checkPlaceholder(placeholder: Placeholder, embedded: boolean, { environment, report, uses }: TextPlace): void {
  for (const reference of placeholder.alternatives) {
    uses(reference);
    const whole = kindOfPath(reference.path, environment);
    if (reference.at !== undefined && whole?.list === 'no') {
      const message = `{${reference.text}} takes one item out of a value that is no list.`;
      report({ code: 'TEMPLATE_REFERENCE_LIST', severity: 'error', message, hint: `Write {${reference.path.join('.')}}.` });
    }
    const kind = kindOf(reference, environment);
    if (kind?.list === 'yes' && (embedded || placeholder.filters.length > 0)) {
      const message = `${placeholder.text} is a list where one value belongs.`;
      const hint = `Take one item, {${reference.text}[0]}, or give the step "each": "{${reference.text}}" and write {each}.`;
      report({ code: 'TEMPLATE_REFERENCE_LIST', severity: 'error', message, hint });
    }
  }
}
