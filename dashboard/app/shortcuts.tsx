/** Keys that lead everywhere, and the dialog that lists them. */
import { useEffect, useState } from 'preact/hooks';
import { Dialog } from '../parts/dialog.tsx';
import { go, to } from './router.ts';

const KEYS: readonly (readonly [string, string])[] = [
  ['g r', 'Runs'],
  ['g t', 'Templates'],
  ['g b', 'Backends'],
  ['g m', 'Machines'],
  ['/', 'Search on this page'],
  ['↑ ↓ Home End', 'Move in the list of runs'],
  ['← →', 'Move between tabs, and between pictures'],
  ['Ctrl Enter', 'Start the run from its form'],
  ['+ − 0', 'Zoom the graph'],
  ['?', 'This list'],
];

const PLACES: Readonly<Record<string, () => string>> = { r: to.runs, t: to.templates, b: to.backends, m: to.machines };
/** How long the second key of two is waited for. */
const SECOND_MS = 1000;

export function Shortcuts() {
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    let first = 0;
    const press = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (event.key === '?') setOpen(true);
      else if (event.key === '/') {
        const field = document.querySelector<HTMLInputElement>('main input[type=search]');
        if (field === null) return;
        event.preventDefault();
        field.focus();
      } else if (event.key === 'g') first = performance.now();
      else if (performance.now() - first < SECOND_MS) {
        const target = PLACES[event.key];
        first = 0;
        if (target !== undefined) go(target());
      }
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, []);
  if (!isOpen) return <></>;
  return (
    <Dialog title="Keys" onClose={() => setOpen(false)}>
      <dl class="keys">
        {KEYS.map(([keys, what]) => (
          <div key={keys}>
            <dt>
              {keys.split(' ').map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}

// --- helpers ---

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName));
}
