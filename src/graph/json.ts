/** Exact JSON: a text as a tree with places, and every reason why it is not JSON as a problem with line and column. */
import type { Problem } from '#protocol/problem.ts';
import { createLineIndex, pointerTo } from './position.ts';
import { ScanFailure } from './scan-failure.ts';
import { Scanner } from './scan.ts';
import type { JsonMember, JsonNode, JsonObject } from './types.ts';

export { createLineIndex, pointerOf, pointerTo, positionOf } from './position.ts';
export type { LineIndex } from './position.ts';

export interface ParseJsonOptions {
  /** Named in problems. */
  readonly file?: string;
  /** Levels of nesting; 256 by default. Real workflows stay below 20, nested subgraphs included. */
  readonly maxDepth?: number;
  /** In UTF-16 code units; 64 Mi by default. */
  readonly maxLength?: number;
}

export interface ParsedJson {
  /** Undefined when the text is not JSON. With duplicate or forbidden keys the tree is there, and the problems with it. */
  readonly root: JsonNode | undefined;
  readonly problems: Problem[];
}

export const MAX_DEPTH = 256;
export const MAX_LENGTH = 64 * 1024 * 1024;

/** A file made of nothing but duplicate keys is told so this often, not a million times. */
const MAX_KEY_PROBLEMS = 100;
/** Objects up to this size are searched for duplicate keys without building a map. */
const SMALL = 16;

interface KeyFinding {
  readonly member: JsonMember;
  /** The earlier member of the same name; absent for a forbidden key. */
  readonly first?: JsonMember;
}

/**
 * Strict JSON (RFC 8259) plus Python's bare `NaN`, `Infinity` and `-Infinity`, which ComfyUI writes. A byte order mark is
 * allowed and stays part of the text. Never throws; a text that is not JSON gives exactly one problem.
 */
export function parseJson(text: string, options: ParseJsonOptions = {}): ParsedJson {
  const { file, maxDepth = MAX_DEPTH, maxLength = MAX_LENGTH } = options;
  const where = file === undefined ? {} : { file };
  if (text.length > maxLength) {
    const message = `The JSON has ${text.length} characters; at most ${maxLength} are read.`;
    const hint = 'Move large data, such as images in base64, out of the workflow into files.';
    return {
      root: undefined,
      problems: [{ code: 'JSON_TOO_LARGE', severity: 'error', message, hint, ...where, line: 1, column: 1, pointer: '' }],
    };
  }
  const findings: KeyFinding[] = [];
  const scanner = new Scanner(text, maxDepth, (object) => checkKeys(object, findings));
  let root: JsonNode;
  try {
    refuseBinary(text);
    root = scanner.document();
  } catch (error) {
    if (!(error instanceof ScanFailure)) throw error;
    const { message, hint, offset, tooDeep } = error;
    const code = tooDeep ? 'JSON_TOO_DEEP' : 'JSON_SYNTAX';
    const place = createLineIndex(text).positionOf(offset);
    return { root: undefined, problems: [{ code, severity: 'error', message, hint, ...where, ...place }] };
  }
  return { root, problems: findings.length === 0 ? [] : keyProblems(text, root, findings, where) };
}

/** The value of a key; of a duplicate key the last one, as Python and JavaScript read it. */
export function member(object: JsonNode | undefined, key: string): JsonNode | undefined {
  return memberOf(object, key)?.value;
}

/** Key and value, for those who need the key's place. */
export function memberOf(object: JsonNode | undefined, key: string): JsonMember | undefined {
  if (object?.kind !== 'object') return undefined;
  const members = object.members;
  for (let i = members.length - 1; i >= 0; i--) {
    const candidate = members[i];
    if (candidate !== undefined && candidate.key.value === key) return candidate;
  }
  return undefined;
}

/** Bytes that are no text show up as U+FFFD, U+0000 and control characters when they are read as UTF-8. */
function refuseBinary(text: string): void {
  const head = text.slice(0, 64);
  if (head.charCodeAt(0) === 0 || head.charCodeAt(1) === 0 || head.startsWith('\uFFFD\uFFFD')) {
    throw new ScanFailure('The file is not UTF-8 text; it looks like UTF-16.', 0, 'Save it as UTF-8. PowerShell: Out-File -Encoding utf8.');
  }
  if (
    head.startsWith('\uFFFD') ||
    (!/^\uFEFF?[\s{["\w-]/.test(head) && hasControls(head)) ||
    /^(?:PK|GIF8|RIFF|fLaC|OggS|glTF)/.test(head)
  ) {
    throw new ScanFailure(
      'The file is binary, not JSON text.',
      0,
      'If it is a picture or video with a workflow inside, open it in ComfyUI and export the workflow as JSON.',
    );
  }
}

function hasControls(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) < 9) return true;
  return false;
}

function checkKeys(object: JsonObject, findings: KeyFinding[]): void {
  const members = object.members;
  if (findings.length >= MAX_KEY_PROBLEMS) return;
  const seen = members.length > SMALL ? new Map<string, JsonMember>() : undefined;
  for (let i = 0; i < members.length; i++) {
    const current = members[i];
    if (current === undefined) continue;
    const key = current.key.value;
    if (isForbidden(key, current.value)) findings.push({ member: current });
    if (seen === undefined) {
      for (let j = 0; j < i; j++) {
        const earlier = members[j];
        if (earlier !== undefined && earlier.key.value === key) {
          findings.push({ member: current, first: earlier });
          break;
        }
      }
    } else {
      const earlier = seen.get(key);
      if (earlier === undefined) seen.set(key, current);
      else findings.push({ member: current, first: earlier });
    }
  }
}

/**
 * What can reach a prototype when careless code copies the value: `__proto__` anywhere, and `constructor` only where it
 * leads to `prototype`. A widget that is merely called "constructor" is harmless as data.
 */
function isForbidden(key: string, value: JsonNode): boolean {
  if (key === '__proto__') return true;
  return key === 'constructor' && memberOf(value, 'prototype') !== undefined;
}

function keyProblems(text: string, root: JsonNode, findings: readonly KeyFinding[], where: { file?: string }): Problem[] {
  const lines = createLineIndex(text);
  return findings
    .slice(0, MAX_KEY_PROBLEMS)
    .toSorted((a, b) => a.member.key.start - b.member.key.start)
    .map(({ member: found, first }) => {
      const name = found.key.value;
      const place = { ...where, ...lines.positionOf(found.key.start), pointer: pointerTo(root, found.key.start) };
      if (first === undefined) {
        const message = `The key "${name}" is not allowed: it reaches the prototype of JavaScript objects.`;
        return { code: 'JSON_FORBIDDEN_KEY', severity: 'error', message, hint: 'Remove or rename the key.', ...place };
      }
      const { line, column } = lines.positionOf(first.key.start);
      const message = `The key "${name}" occurs twice in one object; the first is at line ${line}, column ${column}.`;
      return { code: 'JSON_DUPLICATE_KEY', severity: 'error', message, hint: 'Remove one of the two, or rename it.', ...place };
    });
}
