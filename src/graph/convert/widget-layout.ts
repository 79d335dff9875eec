/** Which inputs of a class the front end shows as widgets, in which order, and what each begins with. */
import type { InputSpec, NodeClass } from '../node-classes.ts';
import { isRecord, readSpec } from '../node-classes.ts';
import type { JsonValue } from '../types.ts';
import type { Widget } from './shapes.ts';
import { plainValue, type Value } from './value.ts';

/** Types that the front end, or an extension that ships with it, has a widget for. Any other type is a socket. */
const WIDGET_TYPES = new Set(
  [
    'INT FLOAT BOOLEAN STRING COMBO MARKDOWN TEXTAREA COMFY_DYNAMICCOMBO_V3',
    'COLOR COLORS CURVE RANGE BOUNDING_BOX BOUNDING_BOXES PAINTER COMPOSITOR VIDEO_EDIT',
    'CHART GALLERIA IMAGECOMPARE IMAGEUPLOAD AUDIOUPLOAD AUDIO_UI AUDIO_RECORD WEBCAM',
    'LOAD_3D LOAD_3D_ANIMATION PREVIEW_3D PREVIEW_3D_ANIMATION',
  ].flatMap((line) => line.split(' ')),
);

const MAX_NESTING = 8;
const MAX_CHOICES = 1000;

export function isWidget(spec: InputSpec): boolean {
  return WIDGET_TYPES.has(widgetType(spec)) && spec.options['forceInput'] !== true;
}

function widgetType(spec: InputSpec): string {
  const override = spec.options['widgetType'];
  return typeof override === 'string' ? override : spec.type;
}

export const isDynamicCombo = (spec: InputSpec): boolean => widgetType(spec) === 'COMFY_DYNAMICCOMBO_V3';

/** Inputs that the chosen option of a dynamic combo adds, with dotted names. */
export function chosenInputs(spec: InputSpec, key: string | undefined): InputSpec[] {
  const options = spec.options['options'];
  if (!Array.isArray(options)) return [];
  const chosen = (options as readonly JsonValue[]).find((option) => isRecord(option) && option['key'] === key);
  const inputs = isRecord(chosen) ? chosen['inputs'] : undefined;
  if (!isRecord(inputs)) return [];
  return (['required', 'optional'] as const).flatMap((section) => {
    const specs = inputs[section];
    if (!isRecord(specs)) return [];
    return Object.entries(specs).flatMap(([name, value]) => readSpec(`${spec.name}.${name}`, value, section === 'required') ?? []);
  });
}

/** Fills widgets in the order in which the file lists their values. */
export type TakeValue = (widget: Omit<Widget, 'value'>) => { readonly given: boolean; readonly value?: Value | undefined };

/**
 * All widgets of a class. `take` is asked once for each widget, in order; what it answers decides which inputs a dynamic combo
 * has, and these come directly after it.
 */
export function layOutWidgets(nodeClass: NodeClass, take: TakeValue): Widget[] {
  const widgets: Widget[] = [];
  const add = (
    name: string,
    initial: Value | undefined,
    flags: { sent?: boolean; saved?: boolean; controlled?: boolean } = {},
  ): Value | undefined => {
    const widget = { name, sent: flags.sent ?? true, saved: flags.saved ?? true, controlled: flags.controlled ?? false };
    const taken = take(widget);
    const value = taken.given ? taken.value : initial;
    widgets.push({ ...widget, value });
    return value;
  };
  const addInput = (spec: InputSpec, nesting: number): void => {
    if (!isWidget(spec) || nesting > MAX_NESTING) return;
    const controlled = isControlled(spec);
    if (spec.type.startsWith('LOAD_3D') && nodeClass.inputs.has('model_file')) {
      for (const [name, value] of LOAD_3D_BUTTONS) add(name, plainValue(value));
    }
    const value = add(spec.name, initialValue(spec), { controlled });
    // A combo shows its first choice where null was saved, as it is when the choices were not there at the time.
    const last = widgets.at(-1);
    // Views have no value of their own, whatever was saved for them.
    if (VIEWS.has(widgetType(spec)) && last !== undefined) last.value = plainValue('');
    if (value?.kind === 'null' && widgetType(spec) === 'COMBO' && last !== undefined) last.value = initialValue(spec) ?? value;
    if (isDynamicCombo(spec)) {
      for (const inner of chosenInputs(spec, value?.text)) addInput(inner, nesting + 1);
      return;
    }
    if (isRecord(spec.options['remote'])) {
      add('Auto-refresh after generation', plainValue(false), { sent: false });
      if (spec.options['remote']['refresh_button'] === true) add('refresh', plainValue('refresh'));
    }
    if (controlled) {
      add('control_after_generate', plainValue('randomize'), { sent: false });
      if (spec.type === 'COMBO') add('control_filter_list', plainValue(''), { sent: false });
    }
    if (spec.type === 'BOUNDING_BOX') for (const side of ['x', 'y', 'width', 'height']) add(side, plainValue(0), { sent: false });
  };
  const specs = [...nodeClass.inputs.values()];
  for (const spec of specs) if (spec.required) addInput(spec, 0);
  if (nodeClass.name === 'CustomCombo') addChoices(take, widgets);
  if (WITH_PREVIEW.has(nodeClass.name)) add('image', plainValue(''));
  if (specs.some((spec) => spec.required && isUpload(spec))) add('upload', undefined, { sent: false });
  for (const spec of specs) if (!spec.required) addInput(spec, 0);
  return widgets;
}

/** Before the view of a model that can be loaded; as buttons they have no value of their own, but the front end sends whatever is saved in their places. */
const LOAD_3D_BUTTONS: readonly (readonly [string, string])[] = [
  ['upload 3d model', 'upload3dmodel'],
  ['upload extra resources', 'uploadExtraResources'],
  ['clear', 'clear'],
];

const VIEWS = new Set(['LOAD_3D', 'LOAD_3D_ANIMATION', 'PREVIEW_3D', 'PREVIEW_3D_ANIMATION', 'WEBCAM']);

/** Classes that get a preview of a model, which is sent as an empty text. */
const WITH_PREVIEW = new Set(['Preview3D', 'Preview3DAnimation', 'SaveGLB']);

/** The node whose list of choices the user types in: as many texts as were saved, an empty one last. The index is worked out from them. */
function addChoices(take: TakeValue, widgets: Widget[]): void {
  const flags = { sent: true, saved: true, controlled: false };
  const choice = widgets[0]?.value?.json;
  const index: Widget = { name: 'index', ...flags, value: plainValue(0) };
  take({ name: 'index', ...flags });
  widgets.push(index);
  for (let count = 0; count < MAX_CHOICES; count += 1) {
    const name = `option${count + 1}`;
    const option = take({ name, ...flags });
    const value = option.given ? option.value : plainValue('');
    widgets.push({ name, ...flags, value });
    if (!option.given || value?.text === '') break;
  }
  index.value = plainValue(widgets.slice(2).findIndex(({ value }) => value?.json === choice));
}

/** An upload button stands after the required inputs and saves a value of its own. */
function isUpload(spec: InputSpec): boolean {
  return ['image_upload', 'video_upload', 'animated_image_upload'].some((flag) => spec.options[flag] === true);
}

/** Dossier 4.3: the flag, or, where it is not given at all, an INT named `seed` or `noise_seed`. */
function isControlled(spec: InputSpec): boolean {
  const flag = spec.options['control_after_generate'];
  if (flag === undefined || flag === null) return spec.type === 'INT' && (spec.name === 'seed' || spec.name === 'noise_seed');
  return flag !== false && flag !== '' && flag !== 0 && ['INT', 'FLOAT', 'COMBO'].includes(spec.type);
}

function initialValue(spec: InputSpec): Value | undefined {
  const given = spec.options['default'];
  switch (widgetType(spec)) {
    case 'INT':
    case 'FLOAT':
      return plainValue(given ?? 0);
    case 'BOOLEAN':
      return plainValue(given ?? false);
    case 'STRING':
    case 'MARKDOWN':
    case 'TEXTAREA':
    case 'LOAD_3D':
    case 'PAINTER':
      return plainValue(given ?? '');
    case 'BOUNDING_BOX':
      return plainValue(given ?? { x: 0, y: 0, width: 512, height: 512 });
    case 'COLORS':
    case 'BOUNDING_BOXES':
      return plainValue(given ?? []);
    case 'COLOR':
      return plainValue(given ?? '#000000');
    case 'IMAGECOMPARE':
      return plainValue(given ?? ['', '']);
    case 'COMBO':
      return isRecord(spec.options['multi_select']) || spec.options['multi_select'] === true ? plainValue([]) : comboValue(spec, given);
    case 'COMFY_DYNAMICCOMBO_V3':
      return firstKey(spec);
    default:
      return given === undefined ? undefined : plainValue(given);
  }
}

function comboValue(spec: InputSpec, given: JsonValue | undefined): Value | undefined {
  if (given !== undefined && given !== null && given !== '' && given !== false && given !== 0) return plainValue(given);
  const first = spec.choices?.[0];
  if (first !== undefined) return plainValue(first);
  return spec.options['remote'] === undefined ? undefined : plainValue('Loading...');
}

function firstKey(spec: InputSpec): Value | undefined {
  const options = spec.options['options'];
  const [first] = Array.isArray(options) ? (options as readonly JsonValue[]) : [];
  const key = isRecord(first) ? first['key'] : undefined;
  return typeof key === 'string' ? plainValue(key) : undefined;
}
