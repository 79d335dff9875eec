/** Keys, tokens and passwords that stand in a graph: found by the names of inputs and by their own look, and taken out of what travels with files. */
import { parseJson } from './json.ts';
import { rewrite, type Splice } from './rewrite.ts';
import type { JsonNode } from './types.ts';

/** What stands in the place of a secret. */
export const REDACTED = '[redacted]';

export interface RedactedText {
  readonly text: string;
  /** Keys of the members whose values were taken out, with those around them: `12.inputs.api_key`. */
  readonly places: readonly string[];
  /** What was taken out; never stored, never shown: only to find it elsewhere. */
  readonly values: readonly string[];
}

const NAMES =
  /(?:^|[_\-. ])(?:api[_\-. ]?keys?|auth(?:orization)?|authentication|bearer|(?:access|private|secret|license|auth)[_\-. ]?keys?|secrets?|passw(?:or)?d|passphrase|pwd|credentials?|cookies?)$/i;
/** Only where it is a key for certain: `trigger_token` and `max_tokens` are words of prompts. */
const TOKENS = /^tokens?$|(?:access|auth|api|bearer|refresh|session|hf|huggingface|civitai|user|bot|secret)[_\-. ]?tokens?$/i;
/** Spellings as one word: `openaiApiKey`. */
const CAMEL = /[a-z](?:ApiKey|Secret|Password|AccessKey|SecretKey|PrivateKey)$/;
/** Keys that say what they are, wherever they stand. */
const SHAPES =
  /\b(?:sk-[\w-]{20,}|hf_[A-Za-z0-9]{20,}|gh[opsur]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|comfyui-[0-9a-f]{32,}|AIza[\w-]{30,}|(?:AKIA|ASIA)[A-Z0-9]{12,}|xox[abeoprs]-[\w-]{10,}|r8_[A-Za-z0-9]{20,}|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,})/g;
const USERINFO = /\b([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/@"'<>]+@/gi;
const QUERY = /([?&](?:[\w-]*(?:key|token|secret|password|signature|sig|auth)[\w-]*)=)[^\s&#"'<>]+/gi;
const BEARER = /\b(Bearer |Basic )[\w.~+/=-]{8,}/g;

/** Shorter ones are words that stand anywhere. */
const SHORTEST = 6;

export function isSecretName(name: string): boolean {
  return NAMES.test(name) || TOKENS.test(name) || CAMEL.test(name);
}

/** A text that may hold a key, an address with a password or a token somewhere in it. */
export function redactText(text: string, known: readonly string[] = []): string {
  let clean = text;
  for (const value of known) if (value.length >= SHORTEST) clean = clean.replaceAll(value, REDACTED);
  return clean
    .replaceAll(SHAPES, REDACTED)
    .replaceAll(USERINFO, '$1')
    .replaceAll(QUERY, `$1${REDACTED}`)
    .replaceAll(BEARER, `$1${REDACTED}`);
}

/**
 * The same text of JSON, byte for byte but for its secrets: graphs, workflows in UI format, settings. `known` are values that were
 * found elsewhere. A text that is no JSON is looked through as a whole.
 */
export function redactJson(text: string, known: readonly string[] = []): RedactedText {
  const { root } = parseJson(text);
  if (root === undefined) return { text: redactText(text, known), places: [], values: [] };
  const found: Found = { places: [], values: new Set(known) };
  collect(root, [], found);
  const values = [...found.values].toSorted((a, b) => b.length - a.length);
  const splices: Splice[] = [];
  splice(root, '', values, splices);
  return splices.length === 0 ? { text, places: [], values } : { text: rewrite(text, splices).text, places: found.places, values };
}

// --- helpers ---

interface Found {
  readonly places: string[];
  readonly values: Set<string>;
}

function collect(node: JsonNode, path: readonly string[], found: Found): void {
  if (node.kind === 'array') for (const item of node.items) collect(item, path, found);
  if (node.kind !== 'object') return;
  for (const { key, value } of node.members) {
    const here = [...path, key.value];
    if (value.kind === 'string' && value.value !== '' && isSecretName(key.value)) {
      found.places.push(here.join('.'));
      if (value.value.length >= SHORTEST) found.values.add(value.value);
    }
    collect(value, here, found);
  }
}

function splice(node: JsonNode, name: string, values: readonly string[], splices: Splice[]): void {
  if (node.kind === 'array') for (const item of node.items) splice(item, '', values, splices);
  else if (node.kind === 'object') for (const { key, value } of node.members) splice(value, key.value, values, splices);
  else if (node.kind === 'string') {
    const clean = node.value !== '' && isSecretName(name) ? REDACTED : redactText(node.value, values);
    if (clean !== node.value) splices.push({ start: node.start, end: node.end, parts: [JSON.stringify(clean)] });
  }
}
