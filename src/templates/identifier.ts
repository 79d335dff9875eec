/** Names for parameters and outputs out of any text. */
import { RESERVED_NAMES } from './environment.ts';
import { slug } from './filters.ts';

/** Lower case Latin letters, digits and underscores, at most 48; empty when nothing is left. Never begins with a digit. */
export function identifier(text: string): string {
  const words = slug(text)
    .replaceAll(/[^a-z0-9-]/g, '')
    .replaceAll(/-+/g, '_')
    .replaceAll(/^_|_$/g, '')
    .slice(0, 48);
  return /^\d/.test(words) ? `n${words}` : words;
}

/** The id of a node as the end of a name: `12:3` → `12_3`. */
export const suffixOf = (id: string): string => slug(id).replaceAll(/[^a-z0-9]+/g, '_');

/** A name that a parameter may have: words with a meaning of their own get another. */
export function parameterName(text: string): string {
  const name = identifier(text);
  if (name === 'steps') return 'sampling_steps';
  return RESERVED_NAMES.includes(name) ? `${name}_value` : name;
}

/** Words that are written in their own way. */
const WORDS: Readonly<Record<string, string>> = {
  cfg: 'CFG',
  ckpt: 'checkpoint',
  clip: 'CLIP',
  fps: 'FPS',
  id: 'ID',
  lora: 'LoRA',
  unet: 'UNet',
  url: 'URL',
  vae: 'VAE',
};

/** `sampling_steps` → `Sampling steps`, `ckpt_name` → `Checkpoint`. */
export function titleOf(name: string): string {
  const words = name.split('_').filter((word) => word !== '');
  const known = words.length > 1 && words.at(-1) === 'name' ? words.slice(0, -1) : words;
  const title = known.map((word) => (Object.hasOwn(WORDS, word) ? WORDS[word] : word)).join(' ');
  return title === '' ? name : title.charAt(0).toUpperCase() + title.slice(1);
}
