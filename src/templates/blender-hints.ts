/** `blender`: where the add-on reads a default. A keyword for what is no property, or the path of a property. */
import { closest } from '#graph/suggest.ts';
import type { ParameterType } from './types.ts';

const PICTURE: readonly ParameterType[] = ['image', 'mask', 'file'];
const TEXTUAL: readonly ParameterType[] = ['string', 'text'];

/** Keyword → types that it can fill. */
export const BLENDER_KEYWORDS: Readonly<Record<string, readonly ParameterType[]>> = {
  active_image: PICTURE,
  render_result: PICTURE,
  viewport: PICTURE,
  active_object: ['model3d', 'file'],
  selected_objects: ['model3d', 'file'],
  active_movie: ['video', 'file'],
  active_sound: ['audio', 'file'],
  active_text: TEXTUAL,
  active_object_name: TEXTUAL,
  scene_name: TEXTUAL,
  blend_file_name: TEXTUAL,
  blend_file_folder: ['directory'],
  world_color: ['color'],
  brush_color: ['color'],
};

/** What a path starts at: the scene in front, its view layer, the active object and its material, the scene's camera and world. */
export const BLENDER_ROOTS = ['scene', 'view_layer', 'object', 'material', 'camera', 'world'] as const;

/** `scene.render.resolution_x`, `object.modifiers["Wave"].height`, `object.location[2]`. No calls, no private names, at most 12 parts. */
const PART = String.raw`(?:\.[a-z][a-z0-9_]{0,63}|\[\d{1,4}\]|\["[^"\\\]]{1,63}"\])`;
const PATH = new RegExp(`^(?:${BLENDER_ROOTS.join('|')})(?:${PART}){1,12}$`);

const FROM_PROPERTY: readonly ParameterType[] = ['string', 'text', 'integer', 'number', 'boolean', 'choice', 'seed', 'color', 'vector'];

export interface HintFinding {
  readonly message: string;
  readonly hint: string;
}

/** Undefined when the hint can fill a parameter of the type. */
export function checkBlenderHint(text: string, type: ParameterType): HintFinding | undefined {
  const filled = Object.hasOwn(BLENDER_KEYWORDS, text) ? BLENDER_KEYWORDS[text] : PATH.test(text) ? FROM_PROPERTY : undefined;
  if (filled === undefined) {
    const near = closest(text, Object.keys(BLENDER_KEYWORDS));
    const roots = BLENDER_ROOTS.join(', ');
    const grammar = `Write a keyword (${Object.keys(BLENDER_KEYWORDS).join(', ')}) or the path of a property that begins with ${roots}, e.g. scene.render.resolution_x.`;
    return { message: `"${text}" names nothing in Blender.`, hint: near === undefined ? grammar : `Did you mean "${near}"?` };
  }
  if (filled.includes(type)) return undefined;
  return { message: `"${text}" cannot fill a parameter of type ${type}.`, hint: `It fills ${filled.join(', ')}.` };
}
