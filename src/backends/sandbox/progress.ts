/** `progress` and `progress_state` of one prompt: the whole map of nodes seen so far, at every change. */
import type { JsonRecord } from './json.ts';
import type { Sockets } from './sockets.ts';

export interface Progress {
  start(id: string): void;
  step(id: string, value: number, max: number): void;
  finish(id: string): void;
  fail(id: string): void;
}

/** Without a client both messages go to everybody, as in ComfyUI. */
export function createProgress(promptId: string, sockets: Sockets, client: string | undefined): Progress {
  const nodes: Record<string, { value: number; max: number; state: 'running' | 'finished' | 'error' }> = {};
  const tell = (): void => {
    const data: JsonRecord = {};
    for (const [id, state] of Object.entries(nodes)) {
      data[id] = { ...state, node_id: id, prompt_id: promptId, display_node_id: id, parent_node_id: null, real_node_id: id };
    }
    sockets.send('progress_state', { prompt_id: promptId, nodes: data }, client);
  };
  const set = (id: string, value: number, max: number, state: 'running' | 'finished' | 'error'): void => {
    nodes[id] = { value, max, state };
    tell();
  };
  return {
    start: (id) => set(id, 0, 1, 'running'),
    step(id, value, max) {
      set(id, value, max, 'running');
      sockets.send('progress', { value, max, prompt_id: promptId, node: id }, client);
    },
    finish(id) {
      const max = nodes[id]?.max ?? 1;
      set(id, max, max, 'finished');
    },
    fail(id) {
      const { value = 0, max = 1 } = nodes[id] ?? {};
      set(id, value, max, 'error');
    },
  };
}
