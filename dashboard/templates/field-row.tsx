/** One parameter in the form: its title, its control, what is said about it and what is wrong. */
import type { Problem } from '../../src/protocol/problem.ts';
import { FieldControl } from './field-control.tsx';
import type { Field, FieldSchema } from './values.ts';

export type Entry = readonly [string, FieldSchema];

/** In the order in which their first fields stand. */
export function groupsOf(entries: readonly Entry[]): readonly (readonly [string, readonly Entry[]])[] {
  const groups = new Map<string, Entry[]>();
  for (const entry of entries) {
    const group = entry[1]['x-callsheet']?.group ?? '';
    groups.set(group, [...(groups.get(group) ?? []), entry]);
  }
  return [...groups];
}

/** Two of these stand beside each other. */
const SHORT: ReadonlySet<string> = new Set(['integer', 'number', 'seed', 'choice', 'color']);

interface FieldRowProps {
  readonly name: string;
  readonly schema: FieldSchema;
  readonly value: Field;
  readonly problems: readonly Problem[];
  readonly onChange: (value: Field) => void;
}

export function FieldRow({ name, schema, value, problems, onChange }: FieldRowProps) {
  const id = `field-${name}`;
  const hints = schema['x-callsheet'];
  const isCheck = typeof value === 'boolean';
  const isShort = isCheck || SHORT.has(hints?.type ?? '');
  const describedBy = schema.description === undefined && problems.length === 0 ? undefined : `${id}-about`;
  return (
    <div
      class={`field ${isCheck ? 'field-check' : ''} ${isShort ? '' : 'field-long'} ${problems.length > 0 ? 'field-wrong' : ''}`}
      data-parameter={name}
    >
      <label class="field-title" for={id}>
        {schema.title ?? name}
        {hints?.required === true && (
          <span class="field-needed" title="Needed">
            {' '}
            *
          </span>
        )}
      </label>
      <FieldControl id={id} schema={schema} value={value} describedBy={describedBy} isWrong={problems.length > 0} onChange={onChange} />
      <div id={`${id}-about`} class="field-about">
        {schema.description !== undefined && <p class="dim">{schema.description}</p>}
        {problems.map(({ message, hint }, at) => (
          <p key={at} class="field-problem">
            {message} {hint}
          </p>
        ))}
      </div>
    </div>
  );
}
