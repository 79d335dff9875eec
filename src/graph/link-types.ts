/** ComfyUI's rule for the types of links. */

/**
 * ComfyUI's rule: equal, or a wildcard on either side, or comma lists with a type in common. Types that resolve at run time
 * (COMFY_…) fit everything, and so does a list of choices for a combo, which current servers accept and older ones compare.
 */
export function typesFit(given: string, wanted: string): boolean {
  if (given === wanted) return true;
  const givenTypes = split(given);
  const wantedTypes = split(wanted);
  return [...givenTypes, ...wantedTypes].some(isOpen) || givenTypes.some((type) => wantedTypes.includes(type));
}

function split(type: string): string[] {
  return type.split(',').map((part) => part.trim());
}

/** `ANY` is what some packs call a type whose comparison always says "equal". */
export function isOpen(type: string): boolean {
  return type === '*' || type === '' || type.toUpperCase() === 'ANY' || type.startsWith('COMFY_');
}
