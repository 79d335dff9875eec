/** A saving as clients see it. */
import type { Saving } from '#protocol/views.ts';
import type { PassSaving } from './types.ts';

/** `nameOf` gives the id under which a node is known outside. */
export function tellSaving(
  { pass, nodes, why }: PassSaving,
  nameOf: (id: string) => string = (id) => id,
): Pick<Saving, 'nodes' | 'why'> & Pick<PassSaving, 'pass'> {
  const told = nodes.map(({ id, classType, title, into }) => ({
    id: nameOf(id),
    classType,
    ...(title === undefined ? {} : { title }),
    ...(into === undefined ? {} : { into: nameOf(into) }),
  }));
  return { pass, nodes: told, why };
}
