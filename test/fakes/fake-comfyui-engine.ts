/** The working half of the fake ComfyUI: queue, execution by plan, history, and the ledger that judges how often a prompt ran. */

export type Message = { readonly type: string; readonly data: Readonly<Record<string, unknown>> };
export type GraphJson = Readonly<Record<string, { class_type: string; inputs: Readonly<Record<string, unknown>> }>>;

export interface QueueItem {
  readonly number: number;
  readonly promptId: string;
  readonly prompt: GraphJson;
  /** JSON text of extra_data as it came, so that 64-bit integers survive. */
  readonly extraData: string;
  readonly promptText: string;
  readonly clientId: string | undefined;
}

/** How one prompt is executed. Without a plan every node runs at once and savers report one file each. */
export interface Plan {
  /** Stays at this node until `release` or an interrupt. */
  readonly holdAt?: string;
  readonly cached?: readonly string[];
  readonly outputs?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly node: string; readonly type: string; readonly message: string };
  /** A blocked node tells its message and the prompt goes on. */
  readonly blocked?: string;
  readonly previews?: readonly Buffer[];
  /** Between execution_success and the entry in the history. */
  readonly historyDelayMs?: number;
  /** Interrupts are erased this many times before one takes hold. */
  readonly deafTo?: number;
  /** The worker dies with this prompt, after telling its end: HTTP goes on, nothing is executed any more. */
  readonly dies?: boolean;
  /** Steps of progress reported by each node. */
  readonly ticks?: number;
}

export interface LedgerEntry {
  readonly promptId: string;
  readonly number: number;
  readonly extraData: string;
  readonly prompt: GraphJson;
}

export interface HistoryEntry {
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly meta: Readonly<Record<string, unknown>>;
  readonly status: { readonly status_str: string; readonly completed: boolean; readonly messages: readonly (readonly [string, unknown])[] };
  readonly item: QueueItem;
}

export interface EngineOptions {
  readonly broadcast: (message: Message) => void;
  readonly toClient: (clientId: string | undefined, message: Message | Buffer) => void;
}

export interface Engine {
  readonly ledger: LedgerEntry[];
  /** Prompts in the order they ended. */
  readonly history: Map<string, HistoryEntry>;
  /** Ids of prompts that got as far as saving a file: the disk outlives a restart. */
  readonly saved: Set<string>;
  plan: (item: QueueItem) => Plan;
  counter: number;
  enqueue(item: QueueItem): void;
  pending(): readonly QueueItem[];
  running(): QueueItem | undefined;
  remaining(): number;
  remove(promptId: string): boolean;
  interrupt(promptId?: string): void;
  release(): void;
  /** Everything is forgotten, as a restart does: what runs never ends. */
  wipe(): void;
  /** Resolves when a node of a prompt is being held. */
  held(): Promise<QueueItem>;
}

export function createEngine(options: EngineOptions): Engine {
  const { broadcast, toClient } = options;
  let pending: QueueItem[] = [];
  let running: QueueItem | undefined;
  let generation = 0;
  let interrupted = false;
  let wake: (() => void) | undefined;
  let holding: QueueItem | undefined;
  const heldWaiters = new Set<(item: QueueItem) => void>();
  const ledger: LedgerEntry[] = [];
  const history = new Map<string, HistoryEntry>();
  const saved = new Set<string>();

  const remaining = (): number => pending.length + (running === undefined ? 0 : 1);
  const status = (): void => broadcast({ type: 'status', data: { status: { exec_info: { queue_remaining: remaining() } } } });

  const hold = (item: QueueItem): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve;
      holding = item;
      for (const waiter of heldWaiters) waiter(item);
      heldWaiters.clear();
    });

  const run = async (item: QueueItem): Promise<void> => {
    const mine = generation;
    const plan = engine.plan(item);
    const id = item.promptId;
    const send = (type: string, data: Record<string, unknown>): void => {
      if (mine === generation) toClient(item.clientId, { type, data: { ...data, prompt_id: id } });
    };
    const messages: [string, Record<string, unknown>][] = [];
    const note = (type: string, data: Record<string, unknown>): void => {
      const stamped = { ...data, prompt_id: id, timestamp: Date.now() };
      messages.push([type, stamped]);
      send(type, stamped);
    };
    ledger.push({ promptId: id, number: item.number, extraData: item.extraData, prompt: item.prompt });
    status();
    note('execution_start', {});
    const cached = plan.cached ?? [];
    note('execution_cached', { nodes: cached });
    const outputs: Record<string, unknown> = {};
    const states: Record<string, unknown> = {};
    let deaf = plan.deafTo ?? 0;
    let end: 'success' | 'error' = 'success';
    for (const [node, { class_type: className }] of Object.entries(item.prompt)) {
      const mark = (state: string, value: number): void => {
        states[node] = {
          value,
          max: 1,
          state,
          node_id: node,
          prompt_id: id,
          display_node_id: node,
          parent_node_id: null,
          real_node_id: node,
        };
        send('progress_state', { nodes: { ...states } });
      };
      if (!cached.includes(node)) {
        mark('running', 0);
        send('executing', { node, display_node: node });
        for (let tick = 1; tick <= (plan.ticks ?? 0); tick += 1) mark('running', tick / (plan.ticks ?? 1));
      }
      for (const preview of plan.previews ?? []) if (mine === generation) toClient(item.clientId, preview);
      if (plan.blocked === node)
        send('execution_error', { node_id: node, exception_type: 'ExecutionBlocked', exception_message: 'blocked' });
      while (plan.holdAt === node) {
        await hold(item);
        if (mine !== generation) return;
        if (!interrupted) break;
        if (deaf <= 0) break;
        deaf -= 1;
        interrupted = false;
      }
      if (interrupted) {
        note('execution_interrupted', { node_id: node, node_type: className, executed: [] });
        end = 'error';
        break;
      }
      if (plan.error?.node === node) {
        const { type, message } = plan.error;
        const trace = ['  File "/srv/custom_nodes/pack/nodes.py", line 12, in run\n'];
        note('execution_error', {
          node_id: node,
          node_type: className,
          executed: [],
          exception_type: type,
          exception_message: message,
          traceback: trace,
          current_inputs: {},
          current_outputs: [],
        });
        end = 'error';
        break;
      }
      const ui = plan.outputs === undefined ? defaultOutput(item, node) : plan.outputs[node];
      if (ui !== undefined) {
        outputs[node] = ui;
        saved.add(id);
        send('executed', { node, display_node: node, output: ui });
      }
      mark('finished', 1);
    }
    if (end === 'success') note('execution_success', {});
    if (plan.dies === true) return;
    await new Promise((resolve) => setTimeout(resolve, plan.historyDelayMs ?? 0));
    if (mine !== generation) return;
    const meta = Object.fromEntries(
      Object.keys(outputs).map((node) => [node, { node_id: node, display_node: node, parent_node: null, real_node_id: node }]),
    );
    history.set(id, { outputs, meta, status: { status_str: end, completed: end === 'success', messages }, item });
    running = undefined;
    interrupted = false;
    status();
    toClient(item.clientId, { type: 'executing', data: { node: null, prompt_id: id } });
    next();
  };

  const next = (): void => {
    if (running !== undefined) return;
    pending.sort((a, b) => a.number - b.number);
    running = pending.shift();
    if (running === undefined) return;
    interrupted = false;
    const item = running;
    const mine = generation;
    setImmediate(() => {
      if (mine === generation) void run(item);
    });
  };

  const wakeUp = (): void => {
    holding = undefined;
    const call = wake;
    wake = undefined;
    call?.();
  };

  const engine: Engine = {
    ledger,
    history,
    saved,
    plan: () => ({}),
    counter: 0,
    enqueue(item) {
      pending.push(item);
      status();
      next();
    },
    pending: () => pending,
    running: () => running,
    remaining,
    remove(promptId) {
      const before = pending.length;
      pending = pending.filter((item) => item.promptId !== promptId);
      if (pending.length !== before) status();
      return pending.length !== before;
    },
    interrupt(promptId) {
      if (running === undefined || (promptId !== undefined && running.promptId !== promptId)) return;
      interrupted = true;
      wakeUp();
    },
    release: wakeUp,
    wipe() {
      generation += 1;
      pending = [];
      running = undefined;
      history.clear();
      engine.counter = 0;
      wakeUp();
    },
    held: () =>
      new Promise((resolve) => {
        if (holding === undefined) heldWaiters.add(resolve);
        else resolve(holding);
      }),
  };
  return engine;
}

function defaultOutput(item: QueueItem, node: string): unknown {
  const { class_type: className, inputs } = item.prompt[node] ?? { class_type: '', inputs: {} };
  if (className !== 'SaveImage' && className !== 'PreviewImage') return undefined;
  const prefix = typeof inputs['filename_prefix'] === 'string' ? inputs['filename_prefix'] : 'ComfyUI_temp';
  const cut = prefix.lastIndexOf('/');
  const file = {
    filename: `${prefix.slice(cut + 1)}_00001_.png`,
    subfolder: cut < 0 ? '' : prefix.slice(0, cut),
    type: className === 'SaveImage' ? 'output' : 'temp',
  };
  return { images: [file] };
}
