/** Typed access to the values that arrived at a node. */
import type { SlotObject, SlotValue } from '../values.ts';

type Kind = SlotObject['kind'];
type OfKind<K extends Kind> = Extract<SlotObject, { kind: K }>;

export interface Inputs {
  has(name: string): boolean;
  raw(name: string): SlotValue | undefined;
  number(name: string): number;
  integer(name: string): number;
  /** Exact to 64 bits. */
  big(name: string): bigint;
  string(name: string): string;
  boolean(name: string): boolean;
  value<K extends Kind>(name: string, kind: K): OfKind<K>;
  optional<K extends Kind>(name: string, kind: K): OfKind<K> | undefined;
}

function isKind<K extends Kind>(value: SlotObject, kind: K): value is OfKind<K> {
  return value.kind === kind;
}

/** Every accessor throws a plain Error that names the input, as a Python node would raise a TypeError. */
export function createInputs(values: ReadonlyMap<string, SlotValue>): Inputs {
  const need = (name: string): SlotValue => {
    const value = values.get(name);
    if (value === undefined || value === null) throw new TypeError(`missing the input '${name}'`);
    return value;
  };
  const number = (name: string): number => {
    const value = need(name);
    const converted = typeof value === 'object' ? Number.NaN : Number(value);
    if (Number.isNaN(converted)) throw new TypeError(`the input '${name}' is not a number`);
    return converted;
  };
  const value = <K extends Kind>(name: string, kind: K): OfKind<K> => {
    const found = need(name);
    if (typeof found !== 'object' || found === null || !isKind(found, kind))
      throw new TypeError(`the input '${name}' is not of type ${kind}`);
    return found;
  };
  return {
    has: (name) => values.has(name),
    raw: (name) => values.get(name),
    number,
    integer: (name) => Math.trunc(number(name)),
    big: (name) => {
      const found = need(name);
      return typeof found === 'bigint' ? found : BigInt(Math.trunc(number(name)));
    },
    string: (name) => {
      const found = need(name);
      if (typeof found === 'object') throw new TypeError(`the input '${name}' is not text`);
      return String(found);
    },
    boolean: (name) => Boolean(need(name)),
    value,
    optional: (name, kind) => (values.get(name) === undefined || values.get(name) === null ? undefined : value(name, kind)),
  };
}
