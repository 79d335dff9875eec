/** `callsheet templates show`: a template as a form, for people. */
import type { TemplateDetail } from '#protocol/methods/template.ts';
import { safeText } from './format.ts';
import { type Io, line } from './io.ts';

type Definition = TemplateDetail['parameters'][string];

/** Groups in the order of the form; within them the advanced parameters last. */
export function printForm({ parameters, schema }: TemplateDetail, io: Io): void {
  const names = namesInOrder(parameters, schema);
  if (names.length === 0) {
    line(io.out, 'It asks for nothing.');
    return;
  }
  const groups = Map.groupBy(names, (name) => textOf(parameters[name]?.['group']) ?? '');
  for (const [group, members] of groups) {
    line(io.out, group === '' ? 'parameters' : `parameters: ${safeText(group)}`);
    const isAdvanced = (name: string): boolean => parameters[name]?.['advanced'] === true;
    const width = Math.max(...members.map((name) => name.length));
    for (const name of [...members.filter((each) => !isAdvanced(each)), ...members.filter(isAdvanced)]) {
      printParameter(name.padEnd(width), parameters[name] ?? {}, width + 4, io);
    }
  }
}

function printParameter(name: string, definition: Definition, indent: number, io: Io): void {
  const { title, description, visible, blender, origin, advanced, choices } = definition;
  const marks = [kindOf(definition), boundsOf(definition), begin(definition), advanced === true ? 'advanced' : ''].filter(
    (part) => part !== '',
  );
  line(io.out, safeText(`  ${name}  ${marks.join(', ')}`));
  const more = (text: string): void => line(io.out, safeText(`${' '.repeat(indent)}${text}`));
  const label = [textOf(title), shortened(description)].filter((part) => part !== undefined).join(': ');
  if (label !== '') more(label);
  if (Array.isArray(choices)) more(`one of ${choiceList(choices as readonly unknown[])}`);
  if (typeof visible === 'string') more(`shown when ${visible}`);
  if (typeof blender === 'string') more(`in Blender from ${blender}`);
  if (typeof origin === 'string') more(`from ${origin}`);
}

function kindOf({ type, of, folder }: Definition): string {
  const kind = textOf(type) ?? '';
  if (kind === 'list') return `list of ${textOf(of) ?? 'string'}`;
  return typeof folder === 'string' ? `${kind} of ${folder}` : kind;
}

function boundsOf({ minimum, maximum, multipleOf, step, unit, maxLength, minItems, maxItems, extensions }: Definition): string {
  const has = (value: unknown): value is string | number => typeof value === 'number' || typeof value === 'string';
  const behind = typeof unit === 'string' ? ` ${unit}` : '';
  const parts = [
    has(minimum) && has(maximum) ? `${minimum} to ${maximum}${behind}` : '',
    has(minimum) && !has(maximum) ? `at least ${minimum}${behind}` : '',
    !has(minimum) && has(maximum) ? `at most ${maximum}${behind}` : '',
    !has(minimum) && !has(maximum) && behind !== '' ? `in${behind}` : '',
    has(multipleOf) ? `multiples of ${multipleOf}` : '',
    has(step) ? `by ${step}` : '',
    has(maxLength) ? `up to ${maxLength} characters` : '',
    has(minItems) ? `at least ${minItems} items` : '',
    has(maxItems) ? `up to ${maxItems} items` : '',
    Array.isArray(extensions) ? extensions.join(' ') : '',
  ];
  return parts.filter((part) => part !== '').join(', ');
}

/** What happens when nothing is given. */
function begin(definition: Definition): string {
  if (definition['required'] === true) return 'required';
  if (!Object.hasOwn(definition, 'default')) return definition['type'] === 'seed' ? 'drawn' : 'required';
  const value = definition['default'];
  if (value === null) return 'optional';
  const text = JSON.stringify(value);
  return `default ${text.length > 60 ? `${text.slice(0, 59)}…` : text}`;
}

const MANY = 12;

function choiceList(choices: readonly unknown[]): string {
  const shown = choices.slice(0, MANY).map((choice) => {
    if (typeof choice !== 'object' || choice === null || !('value' in choice)) return String(choice);
    return 'title' in choice && typeof choice.title === 'string' ? `${String(choice.value)} (${choice.title})` : String(choice.value);
  });
  return shown.join(', ') + (choices.length > MANY ? ` and ${choices.length - MANY} more` : '');
}

function namesInOrder(parameters: TemplateDetail['parameters'], schema: TemplateDetail['schema']): readonly string[] {
  const { properties } = schema;
  const known = typeof properties === 'object' && properties !== null ? Object.keys(properties) : [];
  return known.length === Object.keys(parameters).length ? known : Object.keys(parameters);
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

function shortened(value: unknown): string | undefined {
  const text = textOf(value);
  return text === undefined || text.length <= 100 ? text : `${text.slice(0, 99)}…`;
}
