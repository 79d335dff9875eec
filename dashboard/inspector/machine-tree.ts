/** The machines of a run as a tree to choose from: one Tab stop, arrow keys inside. */
import { element, uniqueId } from './dom.ts';
import type { TreeRow } from './tree-rows.ts';

export interface MachineTree {
  readonly element: HTMLElement;
  show(rows: readonly TreeRow[], chosen: string): void;
}

/** More are not drawn; the one that is chosen always is. */
const MOST = 300;

export function createMachineTree(onChoose: (id: string) => void): MachineTree {
  const list = element('div', { class: 'mi-tree', role: 'listbox', 'aria-label': 'Machines', tabindex: 0 });
  const more = element('p', { class: 'mi-more' });
  const box = element('div', { class: 'mi-tree-box' }, list, more);
  const items = new Map<string, HTMLElement>();
  let ids: readonly string[] = [];
  let current = '';

  list.addEventListener('click', (event) => {
    const id = (event.target as Element).closest<HTMLElement>('[role=option]')?.dataset['id'];
    if (id !== undefined) onChoose(id);
  });
  list.addEventListener('keydown', (event) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    event.stopPropagation();
    const next = ids[Math.max(0, Math.min(ids.length - 1, ids.indexOf(current) + step))];
    if (next !== undefined) onChoose(next);
  });

  function itemOf(row: TreeRow): HTMLElement {
    let item = items.get(row.id);
    if (item === undefined) {
      item = element('div', { role: 'option', 'data-id': row.id, id: uniqueId('option') });
      item.append(element('span', { class: 'mi-name' }), element('span', { class: 'mi-value' }));
      items.set(row.id, item);
    }
    const [name, value] = item.children;
    item.className = `mi-row mi-depth-${String(Math.min(row.depth, 3))} mi-is-${row.kind}`;
    if (name !== undefined && name.textContent !== row.name) name.textContent = row.name;
    if (value !== undefined && value.textContent !== row.state) value.textContent = row.state;
    return item;
  }

  return {
    element: box,
    show(rows, chosen) {
      const shown = rows.length <= MOST ? rows : rows.filter((row, nth) => nth < MOST || row.id === chosen);
      const wanted = new Set(shown.map(({ id }) => id));
      for (const [id, item] of items) {
        if (wanted.has(id)) continue;
        item.remove();
        items.delete(id);
      }
      ids = shown.filter(({ isMachine }) => isMachine).map(({ id }) => id);
      let before: Element | null = null;
      for (const row of shown) {
        const item = itemOf(row);
        item.setAttribute('aria-selected', String(row.id === chosen));
        item.toggleAttribute('aria-disabled', !row.isMachine);
        // Only what is not where it belongs is moved, so that nothing jumps under a pointer.
        const place: Element | null = before === null ? list.firstElementChild : before.nextElementSibling;
        if (place !== item) list.insertBefore(item, place);
        before = item;
      }
      const left = rows.length - shown.length;
      more.textContent = left === 0 ? '' : `${String(left)} more`;
      const option = items.get(chosen);
      if (option !== undefined) list.setAttribute('aria-activedescendant', option.id);
      if (chosen !== current) option?.scrollIntoView({ block: 'nearest' });
      current = chosen;
    },
  };
}
