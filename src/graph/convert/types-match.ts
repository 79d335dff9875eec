/** ComfyUI's rule for what may be connected to what. */

/** `*`, the empty text and 0 match anything; otherwise case is ignored and lists, written `A,B`, need one type in common. */
export function typesMatch(a: string, b: string): boolean {
  if (isAny(a) || isAny(b)) return true;
  const first = a.toLowerCase();
  const second = b.toLowerCase();
  if (first === second) return true;
  if (!first.includes(',') && !second.includes(',')) return false;
  const types = new Set(second.split(','));
  return first.split(',').some((type) => types.has(type) || types.has('*')) || types.has('*');
}

export const isAny = (type: string): boolean => type === '*' || type === '' || type === '0';
