/** What is said of a change of a node class: code, sentence and cure. */
import type { ClassChange } from '#graph/class-drift.ts';
import type { ClassSchema, InputSchema } from '#graph/class-schema.ts';
import type { GraphNode, JsonValue } from '#graph/types.ts';
import { printJson } from '#graph/values.ts';
import type { Problem } from '#protocol/problem.ts';

/** `hit` are the nodes that the change breaks; `since` ends the sentence. */
export function driftWords(
  change: ClassChange,
  name: string,
  since: string,
  hit: readonly GraphNode[],
): Pick<Problem, 'code' | 'message' | 'hint'> {
  const where =
    hit.length === 0
      ? ''
      : ` (${hit.length === 1 ? 'node' : 'nodes'} ${hit
          .slice(0, 8)
          .map(({ id }) => id)
          .join(', ')}${hit.length > 8 ? ', …' : ''})`;
  const [code, what, cure] = saying(change);
  const hint = hit.length === 0 ? 'It does not touch this workflow.' : cure;
  return { code, message: `${name}${where}: ${what} ${since}.`, hint };
}

function saying(change: ClassChange): readonly [code: string, what: string, cure: string] {
  switch (change.kind) {
    case 'class-gone':
      return ['DRIFT_CLASS_GONE', 'the class is gone', 'Install the node pack again, or replace the node.'];
    case 'input-gone':
      return [
        'DRIFT_INPUT_GONE',
        `input "${change.input}" is gone`,
        'Its value has no effect any more: look for what replaces it, and remove it.',
      ];
    case 'input-renamed':
      return [
        'DRIFT_INPUT_RENAMED',
        `input "${change.input}" is gone, and "${change.to}" looks like its new name`,
        `Rename it to "${change.to}" in the workflow and in \`set\`.`,
      ];
    case 'input-added': {
      const what = change.isNew
        ? `input "${change.input}" is new${change.now.required ? ' and required' : ''}`
        : `input "${change.input}" is required`;
      const preset = change.now.default;
      return [
        'DRIFT_INPUT_ADDED',
        what,
        preset === undefined ? 'Give it a value or a link.' : `Give it a value; the default is ${show(preset)}.`,
      ];
    }
    case 'input-type':
      return [
        'DRIFT_INPUT_TYPE',
        `input "${change.input}" was ${change.was.type} and is ${change.now.type}${change.was.type === change.now.type ? ' of another shape' : ''}`,
        'Connect or write what it takes now.',
      ];
    case 'range':
      return [
        'DRIFT_RANGE',
        `input "${change.input}" took ${rangeOf(change.was)} and takes ${rangeOf(change.now)}`,
        'Give it a value, and the parameter bounds, that it takes now.',
      ];
    case 'choices-gone':
      return [
        'DRIFT_CHOICE_GONE',
        `input "${change.input}" has lost ${change.choices.slice(0, 5).map(show).join(', ')}${change.choices.length > 5 ? `, … (${change.choices.length})` : ''}`,
        'Choose another one.',
      ];
    case 'default':
      return [
        'DRIFT_DEFAULT',
        `the default of input "${change.input}" was ${show(change.was.default)} and is ${show(change.now.default)}`,
        'The workflow leaves it to the default, so results may differ: write the value that you want.',
      ];
    case 'output': {
      const { slot, was, now, movedTo } = change;
      const what =
        now === undefined ? `output ${slot} (${nameOf(was)}) is gone` : `output ${slot} was ${nameOf(was)} and is ${nameOf(now)}`;
      return [
        'DRIFT_OUTPUT',
        what,
        movedTo === undefined ? 'Look at what is linked to it.' : `Link to output ${movedTo}, where it is now.`,
      ];
    }
    case 'output-added':
      return ['DRIFT_OUTPUT_ADDED', `output ${change.slot} (${nameOf(change.now)}) is new`, ''];
    default:
      return [
        'DRIFT_OUTPUT_NODE',
        change.now ? 'it counts as an output' : 'it is no output any more',
        'Nothing would be executed for it: add a node that saves.',
      ];
  }
}

const nameOf = ({ type, name }: ClassSchema['outputs'][number]): string =>
  name === undefined || name === type ? type : `${name}, ${type}`;

function rangeOf({ min, max }: InputSchema): string {
  if (isNumber(min)) return isNumber(max) ? `${min} to ${max}` : `${min} and more`;
  return isNumber(max) ? `up to ${max}` : 'any number';
}

function show(value: JsonValue | undefined): string {
  const text = value === undefined ? 'none' : printJson(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function isNumber(value: JsonValue | undefined): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}
