/** Names of models that carry strengths: `name`, `name:0.8` (model and CLIP), `name:0.8:0.5` (model, CLIP). */

export interface Weighted {
  readonly name: string;
  /** Undefined when none is given. */
  readonly model: number | undefined;
  readonly clip: number | undefined;
}

/** ComfyUI's own bounds of LoRA strengths. */
export const STRENGTH_LIMIT = 100;

const NUMBER = String.raw`[+-]?(?:\d{1,6}(?:\.\d{0,12})?|\.\d{1,12})`;
const ENTRY = new RegExp(`^(.*?)(?::(${NUMBER}))?(?::(${NUMBER}))?$`, 's');

/** Only numbers at the end are strengths: a colon before anything else belongs to the name. */
export function parseWeighted(text: string): Weighted {
  const [, name = '', model, clip] = ENTRY.exec(text) ?? [];
  if (name === '') return { name: text, model: undefined, clip: undefined };
  const first = model === undefined ? undefined : Number(model);
  return { name, model: first, clip: clip === undefined ? first : Number(clip) };
}

/** What is wrong with an entry, in words. */
export function refuseWeighted(text: string): string | undefined {
  const { name, model, clip } = parseWeighted(text);
  if ([model, clip].some((strength) => strength !== undefined && Math.abs(strength) > STRENGTH_LIMIT)) {
    return `has a strength beyond ±${STRENGTH_LIMIT}`;
  }
  const tail = /:([^:/\\]{0,30})$/.exec(name)?.[1];
  return tail === undefined ? undefined : `ends with ":${tail}", which is no strength`;
}
