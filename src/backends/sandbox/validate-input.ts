/** Checks and coerces one constant input, with ComfyUI's error catalogue. */
import { isRecord, type Json, type JsonRecord } from './json.ts';
import type { Environment, InputSpec } from './nodes/define.ts';
import { inputConfig } from './object-info.ts';
import { pyBool, pyFloat, pyInt, pyRepr, pyStr } from './python.ts';

export type NodeError = {
  readonly type: string;
  readonly message: string;
  readonly details: string;
  readonly extra_info: JsonRecord;
};

export interface Coerced {
  readonly value: Json;
  readonly error?: NodeError;
}

/** ComfyUI leaves the list out of an error when it is longer than this. */
const LONGEST_LIST = 20;

/** `{"__value__": […]}` is how a list constant travels without being read as a link. */
export function unwrap(value: Json): Json {
  return isRecord(value) && '__value__' in value ? (value['__value__'] ?? null) : value;
}

/** `free`: the node checks this input itself, so range and list are not looked at. */
export function checkConstant(
  name: string,
  given: Json,
  spec: InputSpec,
  schema: 'v1' | 'v3',
  environment: Environment,
  free: boolean,
): Coerced {
  const config = (): Json => inputConfig(spec, schema, environment);
  let value = unwrap(given);
  try {
    if (spec.type === 'INT') value = pyInt(value);
    else if (spec.type === 'FLOAT') value = pyFloat(value);
    else if (spec.type === 'STRING') value = pyStr(value);
    else if (spec.type === 'BOOLEAN') value = pyBool(value);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return {
      value,
      error: {
        type: 'invalid_input_type',
        message: `Failed to convert an input value to a ${spec.type} value`,
        details: `${name}, ${pyStr(value)}, ${message}`,
        extra_info: { input_name: name, input_config: config(), received_value: value, exception_message: message },
      },
    };
  }
  if (free) return { value };
  const info = (): JsonRecord => ({ input_name: name, input_config: config(), received_value: value });
  const min = spec.details?.['min'];
  const max = spec.details?.['max'];
  if (isNumber(min) && isNumber(value) && value < min) {
    const message = `Value ${pyStr(value)} smaller than min of ${pyStr(min)}`;
    return { value, error: { type: 'value_smaller_than_min', message, details: name, extra_info: info() } };
  }
  if (isNumber(max) && isNumber(value) && value > max) {
    const message = `Value ${pyStr(value)} bigger than max of ${pyStr(max)}`;
    return { value, error: { type: 'value_bigger_than_max', message, details: name, extra_info: info() } };
  }
  const options = spec.options?.(environment);
  if (options !== undefined && !(typeof value === 'string' && options.includes(value))) {
    const short = options.length <= LONGEST_LIST;
    const list = short ? pyRepr([...options]) : `(list of length ${options.length})`;
    return {
      value,
      error: {
        type: 'value_not_in_list',
        message: 'Value not in list',
        details: `${name}: ${pyRepr(value)} not in ${list}`,
        extra_info: { input_name: name, input_config: short ? config() : null, received_value: value },
      },
    };
  }
  return { value };
}

function isNumber(value: Json | undefined): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}

/** Whether an output of `given` may be linked to an input of `wanted`; `A,B` is a union, `*` is anything. */
export function typesMatch(given: string, wanted: string): boolean {
  if ([given, wanted].some((type) => type === '*' || type === 'COMFY_MATCHTYPE_V3')) return true;
  const accepted = wanted.split(',');
  return given.split(',').some((type) => accepted.includes(type));
}
