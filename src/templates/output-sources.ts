/** Which outputs of steps a placeholder may take its files from, choices looked through. Pure, before any value is known. */
import type { Placeholder } from './grammar.ts';

export interface OutputSource {
  readonly step: string;
  readonly output: string;
}

/** `choices`: what each draws from. A choice draws only from those before it, so there is no circle. */
export function sourcesOf(from: Placeholder, choices: ReadonlyMap<string, Placeholder>): readonly OutputSource[] {
  const found = new Map<string, OutputSource>();
  const look = (placeholder: Placeholder, depth: number): void => {
    for (const { path } of placeholder.alternatives) {
      const [root, name = '', output = ''] = path;
      const drawn = root === 'choices' ? choices.get(name) : undefined;
      if (root === 'steps' && path.length === 3) found.set(`${name}\n${output}`, { step: name, output });
      if (drawn !== undefined && depth < choices.size) look(drawn, depth + 1);
    }
  };
  look(from, 0);
  return [...found.values()];
}
