/** Which templates a set of changed paths concerns. */
import { dirname } from 'node:path';

export interface Touched {
  /** A changed path is this one (a template, or a file that counts for one), lies in it, or is a folder above it. */
  concerns(path: string): boolean;
  /** The template that each changed path is or lies in; undefined when one lies in none: then there may be new ones. */
  within(isTemplate: (path: string) => boolean): readonly string[] | undefined;
}

export function createTouched(paths: readonly string[]): Touched {
  const changed = new Set(paths);
  /** The changed paths and every folder above them. */
  const above = new Set<string>();
  for (const path of paths) for (const each of upwards(path)) above.add(each);
  return {
    concerns(path) {
      return above.has(path) || upwards(path).some((each) => changed.has(each));
    },
    within(isTemplate) {
      const found = new Set<string>();
      for (const path of changed) {
        const template = upwards(path).find(isTemplate);
        if (template === undefined) return undefined;
        found.add(template);
      }
      return [...found];
    },
  };
}

/** The path itself first, the root of the disk last. */
function upwards(path: string): readonly string[] {
  const found = [path];
  for (let at = path, next = dirname(at); next !== at; at = next, next = dirname(at)) found.push(next);
  return found;
}
