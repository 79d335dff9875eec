/** A number that the run machine and the fold of its log have in common. */

/**
 * How many items of a step are at work at once. A backend works on one; the others keep its queue filled. More would not be faster, but
 * every flush writes all of them, and every look at a queue reads all of their graphs.
 */
export const ITEMS_AT_ONCE = 16;
