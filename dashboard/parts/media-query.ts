/** What the style sheet decides by width, where a script has to know it too. */
import { signal } from '@preact/signals';

const narrow = matchMedia('(max-width: 719px)');

export const isNarrow = signal(narrow.matches);
narrow.addEventListener('change', () => (isNarrow.value = narrow.matches));
