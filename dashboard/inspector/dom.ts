/** Elements made of names, attributes and text: nothing is ever read as markup. */
type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;
type Child = Node | string;

const SVG = 'http://www.w3.org/2000/svg';

export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  assign(made, attributes);
  made.append(...children);
  return made;
}

export function drawn<K extends keyof SVGElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[K] {
  const made = document.createElementNS(SVG, name);
  assign(made, attributes);
  made.append(...children);
  return made;
}

/** A button for people and for the keyboard: its words are its name. */
export function button(words: string, name: string, onPress: () => void): HTMLButtonElement {
  const made = element('button', { type: 'button', class: 'mi-button', 'aria-label': name, title: name }, words);
  made.addEventListener('click', onPress);
  return made;
}

let ids = 0;

/** For what refers to another element by its id; there may be more than one inspector on a page. */
export function uniqueId(name: string): string {
  ids += 1;
  return `mi-${name}-${String(ids)}`;
}

// --- helpers ---

function assign(made: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    made.setAttribute(name, value === true ? '' : String(value));
  }
}
