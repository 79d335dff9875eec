/** The control of one parameter, by what its schema says it is. */
import { Icon } from '../parts/icon.tsx';
import { ListField } from './list-field.tsx';
import { MediaField } from './media-field.tsx';
import { type Field, type FieldSchema, isNullable, MEDIA } from './values.ts';

export interface ControlProps {
  readonly id: string;
  readonly schema: FieldSchema;
  readonly value: Field;
  readonly describedBy: string | undefined;
  readonly isWrong: boolean;
  readonly onChange: (value: Field) => void;
}

/** Longer than any that is drawn: 20 digits. */
const SEED_DIGITS = 20;

export function FieldControl({ id, schema, value, describedBy, isWrong, onChange }: ControlProps) {
  const hints = schema['x-callsheet'];
  const shared = { id, 'aria-describedby': describedBy, 'aria-invalid': isWrong };
  const text = typeof value === 'string' ? value : '';
  const type = hints?.type ?? 'string';
  if (typeof value === 'boolean') {
    return (
      <input
        {...shared}
        type="checkbox"
        class={hints?.widget === 'switch' ? 'switch' : ''}
        checked={value}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
    );
  }
  if (type === 'list' && typeof value !== 'string')
    return (
      <ListField id={id} schema={schema} items={value} describedBy={describedBy} onChange={onChange}>
        {(item) => <FieldControl {...item} describedBy={undefined} isWrong={false} />}
      </ListField>
    );
  if (type === 'vector' && typeof value !== 'string') {
    return (
      <div class="vector" role="group">
        {value.map((part, at) => (
          <input
            key={at}
            id={at === 0 ? id : undefined}
            aria-label={`Component ${String(at + 1)}`}
            type="number"
            step="any"
            value={String(part)}
            onInput={(event) => onChange(value.map((old, place) => (place === at ? event.currentTarget.value : old)))}
          />
        ))}
      </div>
    );
  }
  if (MEDIA.has(type))
    return <MediaField id={id} type={type} extensions={hints?.extensions} value={text} describedBy={describedBy} onChange={onChange} />;
  if (type === 'choice') return <Menu shared={shared} schema={schema} value={text} onChange={onChange} />;
  if (type === 'seed') {
    return (
      <div class="with-button">
        <input
          {...shared}
          type="text"
          inputMode="numeric"
          maxLength={SEED_DIGITS}
          placeholder="Drawn at random"
          value={text}
          onInput={(event) => onChange(event.currentTarget.value)}
        />
        <button type="button" class="icon-button" aria-label="Draw a seed now" title="Draw a seed now" onClick={() => onChange(drawSeed())}>
          <Icon name="dice" />
        </button>
      </div>
    );
  }
  if (type === 'integer' || type === 'number') return <NumberField shared={shared} schema={schema} value={text} onChange={onChange} />;
  if (type === 'color') return <ColorField shared={shared} hasAlpha={hints?.alpha === true} value={text} onChange={onChange} />;
  if (type === 'model') {
    return (
      <>
        <input
          {...shared}
          type="text"
          list={`${id}-models`}
          autoComplete="off"
          value={text}
          onInput={(event) => onChange(event.currentTarget.value)}
        />
        <datalist id={`${id}-models`}>
          {(hints?.available ?? []).map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
      </>
    );
  }
  if (hints?.widget === 'area') {
    return (
      <textarea
        {...shared}
        rows={text.length > 160 ? 5 : 3}
        maxLength={schema.maxLength}
        value={text}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
    );
  }
  return (
    <input {...shared} type="text" maxLength={schema.maxLength} value={text} onInput={(event) => onChange(event.currentTarget.value)} />
  );
}

// --- helpers ---

interface Shared {
  readonly id: string;
  readonly 'aria-describedby': string | undefined;
  readonly 'aria-invalid': boolean;
}

interface PartProps {
  readonly shared: Shared;
  readonly schema: FieldSchema;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

/** Within ±(2^53−1), so that it can be read aloud and typed again. */
function drawSeed(): string {
  const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
  return String((high % 2 ** 21) * 2 ** 32 + low);
}

function Menu({ shared, schema, value, onChange }: PartProps) {
  const { labels, widget } = schema['x-callsheet'] ?? {};
  const choices = (schema.enum ?? []).filter((one) => one !== null);
  if (widget === 'radio') {
    return (
      <div class="radios" role="radiogroup">
        {choices.map((choice, at) => (
          <label key={choice}>
            <input
              type="radio"
              id={at === 0 ? shared.id : undefined}
              name={shared.id}
              checked={value === String(choice)}
              onChange={() => onChange(String(choice))}
            />
            {labels?.[at] ?? choice}
          </label>
        ))}
      </div>
    );
  }
  return (
    <select {...shared} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
      {isNullable(schema) && <option value="">None</option>}
      {choices.map((choice, at) => (
        <option key={choice} value={String(choice)}>
          {labels?.[at] ?? choice}
        </option>
      ))}
    </select>
  );
}

function NumberField({ shared, schema, value, onChange }: PartProps) {
  const { minimum, maximum, multipleOf } = schema;
  const { step, unit, widget } = schema['x-callsheet'] ?? {};
  const isWhole = schema['x-callsheet']?.type === 'integer';
  const stride = step ?? multipleOf ?? (isWhole ? 1 : 'any');
  return (
    <div class="with-unit">
      {widget === 'slider' && minimum !== undefined && maximum !== undefined && (
        <input
          type="range"
          aria-label="Slider"
          min={minimum}
          max={maximum}
          step={stride === 'any' ? (maximum - minimum) / 100 : stride}
          value={value}
          onInput={(event) => onChange(event.currentTarget.value)}
        />
      )}
      {/* Text: a field of type number rounds what is longer than 2^53, and takes no comma of any language. */}
      <input
        {...shared}
        type="text"
        inputMode={isWhole ? 'numeric' : 'decimal'}
        class="number"
        placeholder={isNullable(schema) ? 'none' : ''}
        value={value}
        onInput={(event) => onChange(event.currentTarget.value)}
        onKeyDown={(event) => {
          const by = { ArrowUp: 1, ArrowDown: -1 }[event.key];
          const number = Number(value);
          if (by === undefined || value.trim() === '' || !Number.isSafeInteger(Math.round(number))) return;
          event.preventDefault();
          const next = Number((number + by * (stride === 'any' ? 0.1 : stride)).toFixed(6));
          onChange(String(Math.max(minimum ?? next, Math.min(maximum ?? next, next))));
        }}
      />
      <span class="dim">{[unit, rangeWords(minimum, maximum)].filter((word) => word !== undefined).join(' · ')}</span>
    </div>
  );
}

function rangeWords(minimum: number | undefined, maximum: number | undefined): string | undefined {
  const has = (bound: number | undefined): bound is number => bound !== undefined && Math.abs(bound) < 1e9;
  if (has(minimum) && has(maximum)) return `${String(minimum)} – ${String(maximum)}`;
  if (has(minimum)) return `from ${String(minimum)}`;
  return has(maximum) ? `up to ${String(maximum)}` : undefined;
}

function ColorField({
  shared,
  hasAlpha,
  value,
  onChange,
}: {
  readonly shared: Shared;
  readonly hasAlpha: boolean;
  readonly value: string;
  readonly onChange: (value: string) => void;
}) {
  return (
    <div class="with-button">
      <input
        type="color"
        aria-label="Pick a colour"
        value={/^#[0-9a-f]{6}/i.test(value) ? value.slice(0, 7) : '#000000'}
        onInput={(event) => onChange(event.currentTarget.value + (hasAlpha ? value.slice(7, 9) || 'ff' : ''))}
      />
      <input
        {...shared}
        type="text"
        class="number"
        maxLength={9}
        placeholder={hasAlpha ? '#rrggbbaa' : '#rrggbb'}
        value={value}
        onInput={(event) => onChange(event.currentTarget.value.toLowerCase())}
      />
    </div>
  );
}
