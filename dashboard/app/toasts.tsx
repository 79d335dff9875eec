/** Short answers to what a person did: said aloud by screen readers, gone by themselves unless something failed. */
import { signal } from '@preact/signals';
import { toErrorData } from '../../src/protocol/errors.ts';
import { Icon } from '../parts/icon.tsx';

interface Toast {
  readonly id: number;
  readonly kind: 'done' | 'failed';
  readonly text: string;
  readonly hint: string | undefined;
}

const toasts = signal<readonly Toast[]>([]);
const SHOWN_MS = 5000;
let last = 0;

export function say(text: string): void {
  add('done', text, undefined);
}

export function complain(error: unknown): void {
  const { message, hint } = toErrorData(error);
  add('failed', message, hint);
}

/** Does what a button asks for; what goes wrong is shown. */
export async function attempt(work: () => Promise<unknown>, done?: string): Promise<boolean> {
  try {
    await work();
    if (done !== undefined) say(done);
    return true;
  } catch (error) {
    complain(error);
    return false;
  }
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(({ id, kind, text, hint }) => (
        <div class={`toast toast-${kind}`} key={id}>
          <Icon name={kind === 'done' ? 'check' : 'alert'} />
          <div class="toast-text">
            <div>{text}</div>
            {hint !== undefined && <div class="dim">{hint}</div>}
          </div>
          <button type="button" class="icon-button" aria-label="Close the message" onClick={() => remove(id)}>
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}

// --- helpers ---

function add(kind: Toast['kind'], text: string, hint: string | undefined): void {
  last += 1;
  const id = last;
  toasts.value = [...toasts.value.slice(-3), { id, kind, text, hint }];
  if (kind === 'done') setTimeout(() => remove(id), SHOWN_MS);
}

function remove(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}
