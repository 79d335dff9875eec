/** A list of values: one control below the other, with a way to add and to take out. */
import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import { Icon } from '../parts/icon.tsx';
import { emptyField, type Field, type FieldSchema } from './values.ts';

interface ListFieldProps {
  readonly id: string;
  readonly schema: FieldSchema;
  readonly items: readonly Field[];
  readonly describedBy: string | undefined;
  readonly onChange: (items: readonly Field[]) => void;
  /** The control of one item. */
  readonly children: (item: ItemProps) => ComponentChildren;
}

export interface ItemProps {
  readonly id: string;
  readonly schema: FieldSchema;
  readonly value: Field;
  readonly onChange: (value: Field) => void;
}

export function ListField({ id, schema, items, describedBy, onChange, children }: ListFieldProps) {
  const box = useRef<HTMLDivElement>(null);
  const hints = schema['x-callsheet'];
  const of = hints?.of ?? 'string';
  const { minItems = 0, maxItems = Number.POSITIVE_INFINITY } = schema;
  // An item is a parameter of its own type, without the words of the list.
  const itemSchema: FieldSchema = {
    ...schema.items,
    'x-callsheet': {
      type: of,
      widget: 'line',
      order: 0,
      required: true,
      ...(hints?.extensions === undefined ? {} : { extensions: hints.extensions }),
      ...(hints?.available === undefined ? {} : { available: hints.available }),
      ...(hints?.alpha === undefined ? {} : { alpha: hints.alpha }),
    },
  };
  const add = (): void => {
    onChange([...items, emptyField(of)]);
    requestAnimationFrame(() => box.current?.querySelector<HTMLElement>(`#${CSS.escape(`${id}-${String(items.length)}`)}`)?.focus());
  };
  return (
    <div class="list-field" ref={box} role="group" aria-describedby={describedBy}>
      {items.map((item, at) => (
        <div class="list-item" key={at}>
          <span class="list-number">{at + 1}</span>
          {children({
            id: at === 0 ? id : `${id}-${String(at)}`,
            schema: itemSchema,
            value: item,
            onChange: (value) => onChange(items.map((old, place) => (place === at ? value : old))),
          })}
          <button
            type="button"
            class="icon-button"
            aria-label={`Take out item ${String(at + 1)}`}
            disabled={items.length <= minItems}
            onClick={() => onChange(items.filter((_, place) => place !== at))}
          >
            <Icon name="close" />
          </button>
        </div>
      ))}
      <button
        type="button"
        class="button button-small"
        id={items.length === 0 ? id : undefined}
        disabled={items.length >= maxItems}
        onClick={add}
      >
        <Icon name="plus" />
        Add
      </button>
    </div>
  );
}
