/** Nodes that only a test wants: they sleep, fail, block, or never give the same twice. */
import { blank, type Pixels } from '../images/pixels.ts';
import { encodePng } from '../images/codec.ts';
import { bool, int, link, type NodeDefinition, text } from './define.ts';

const BASE = { category: 'sandbox', module: 'custom_nodes.callsheet_sandbox', schema: 'v1' } as const;
const ANY = [['*', 'value']] as const;

/** Thrown as if torch had run out of memory; the executor reports ComfyUI's own exception type. */
export class SandboxOutOfMemory extends Error {
  constructor() {
    super('Allocation on device. This error means you ran out of memory on your GPU.');
    this.name = 'torch.OutOfMemoryError';
  }
}

function noise(side: number): Pixels {
  const image = blank(side, side, 3);
  let state = 1;
  for (let index = 0; index < image.data.length; index++) {
    state = (state * 1103515245 + 12345) % 2147483648;
    image.data[index] = state / 2147483648;
  }
  return image;
}

export const TEST_NODES: readonly NodeDefinition[] = [
  {
    ...BASE,
    name: 'SandboxSleep',
    displayName: 'Sandbox: sleep',
    description: 'Waits one pace per step, reports progress, and passes its value on.',
    required: { value: link('*'), steps: int({ default: 10, min: 1, max: 100000 }) },
    outputs: ANY,
    async run(inputs, context) {
      const steps = inputs.integer('steps');
      for (let step = 1; step <= steps; step++) await context.step(step, steps);
      return { outputs: [inputs.raw('value') ?? null] };
    },
  },
  {
    ...BASE,
    name: 'SandboxFail',
    displayName: 'Sandbox: fail',
    description: 'Raises an exception with the given message.',
    required: { value: link('*'), message: text({ default: 'failed on purpose' }) },
    outputs: ANY,
    run(inputs) {
      throw new Error(inputs.string('message'));
    },
  },
  {
    ...BASE,
    name: 'SandboxOutOfMemory',
    displayName: 'Sandbox: out of memory',
    description: 'Fails as a GPU without memory does.',
    required: { value: link('*') },
    outputs: ANY,
    run() {
      throw new SandboxOutOfMemory();
    },
  },
  {
    ...BASE,
    name: 'SandboxAlwaysChanged',
    displayName: 'Sandbox: always changed',
    description: 'Is never served from the cache.',
    required: { value: link('*') },
    outputs: ANY,
    fingerprint: () => Number.NaN,
    run: (inputs) => ({ outputs: [inputs.raw('value') ?? null] }),
  },
  {
    ...BASE,
    name: 'SandboxManyOutputs',
    displayName: 'Sandbox: many outputs',
    description: 'Reports the given number of small files.',
    required: { count: int({ default: 8, min: 1, max: 1000 }), filename_prefix: text({ default: 'many' }) },
    outputs: [],
    isOutput: true,
    async run(inputs, context) {
      const png = await encodePng(blank(8, 8, 3, 0.5), 1);
      const reservation = context.environment.storage.reserve('output', inputs.string('filename_prefix'), { width: 8, height: 8 });
      const images = Array.from({ length: inputs.integer('count') }, (_, index) => ({ ...reservation.write(index, 'png', png) }));
      return { outputs: [], ui: { images } };
    },
  },
  {
    ...BASE,
    name: 'SandboxBigPreview',
    displayName: 'Sandbox: big preview',
    description: 'Sends one preview of several megabytes as SaveImageWebsocket nodes do.',
    required: { value: link('*'), side: int({ default: 1600, min: 8, max: 4096 }) },
    outputs: ANY,
    async run(inputs, context) {
      context.preview(await encodePng(noise(inputs.integer('side')), 0));
      return { outputs: [inputs.raw('value') ?? null] };
    },
  },
  {
    ...BASE,
    name: 'SandboxBlock',
    displayName: 'Sandbox: block',
    description: "ComfyUI's ExecutionBlocker: what follows is skipped and the prompt still succeeds.",
    required: { value: link('*'), block: bool(true), message: text({ default: '' }) },
    outputs: ANY,
    run(inputs) {
      const message = inputs.string('message');
      return {
        outputs: [inputs.boolean('block') ? { kind: 'blocked', message: message === '' ? null : message } : (inputs.raw('value') ?? null)],
      };
    },
  },
  {
    ...BASE,
    name: 'SandboxSwitch',
    displayName: 'Sandbox: lazy switch',
    description: 'Evaluates only the branch it passes on.',
    required: { choice: bool(true) },
    optional: { on_true: { type: '*', details: { lazy: true } }, on_false: { type: '*', details: { lazy: true } } },
    outputs: ANY,
    lazy: { inputs: ['on_true', 'on_false'], needs: (inputs) => [inputs.boolean('choice') ? 'on_true' : 'on_false'] },
    run: (inputs) => ({ outputs: [inputs.raw(inputs.boolean('choice') ? 'on_true' : 'on_false') ?? null] }),
  },
];
