/** The page that the tests open: the inspector alone, as the dashboard mounts it, with the calls of the test process. */
import { mountInspector } from '../../../dashboard/inspector/index.ts';

interface Bridge {
  readonly rpcCall: (method: string, params: unknown) => Promise<{ readonly result?: unknown; readonly error?: string }>;
  notify: (name: string, params: unknown) => void;
  mount: (runId: string | undefined) => void;
  unmount: () => void;
}

const bridge = globalThis as unknown as Bridge;
const listeners = new Map<string, Set<(params: unknown) => void>>();
let unmount: (() => void) | undefined;

bridge.notify = (name, params) => {
  for (const listener of listeners.get(name) ?? []) listener(params);
};
bridge.mount = (runId) => {
  const place = document.querySelector<HTMLElement>('main');
  if (place === null) return;
  unmount = mountInspector(place, {
    async call(method, params) {
      const { result, error } = await bridge.rpcCall(method, params);
      if (error !== undefined) throw new Error(error);
      return result;
    },
    on(name, listener) {
      const set = listeners.get(name) ?? new Set();
      listeners.set(name, set.add(listener));
      return () => void set.delete(listener);
    },
    ...(runId === undefined ? {} : { runId }),
  });
};
bridge.unmount = () => unmount?.();
