/** The backend contract on the fake ComfyUI, and on a real one whose address is in CALLSHEET_TEST_COMFYUI. */
import { createComfyUIBackend } from '#backends/comfyui/backend.ts';
import { isFields, parsePython } from '#backends/comfyui/replies.ts';
import { startFakeComfyUI } from '../fakes/fake-comfyui.ts';
import type { FakeOptions } from '../fakes/fake-comfyui.ts';
import { describeBackend, emptyImage, saveImage } from './backend-contract.ts';
import type { ContractSetup } from './backend-contract.ts';

async function onFake(options: FakeOptions): Promise<ContractSetup> {
  const fake = await startFakeComfyUI(options);
  fake.engine.plan = (item) => (item.prompt['held'] === undefined ? {} : { holdAt: 'held' });
  return {
    connect: () => createComfyUIBackend({ id: 'fake', url: fake.url }),
    raw: (path) => get(fake.url + path),
    slow: (mark) =>
      JSON.stringify({ 1: emptyImage(mark), held: { class_type: 'Slow', inputs: { image: ['1', 0] } }, 2: saveImage('held') }),
    close: () => fake.close(),
  };
}

async function get(url: string): Promise<string> {
  return (await fetch(url)).text();
}

/** Large enough that a graph of them can be cancelled on any machine; interrupts are looked for between nodes. */
function scalings(mark: number): string {
  const nodes: Record<string, unknown> = { 0: emptyImage(mark, 1500, 1500) };
  const count = 40;
  for (let index = 1; index <= count; index += 1) {
    const inputs = { image: [String(index - 1), 0], upscale_method: 'lanczos', width: 1500 + (index % 2), height: 1500, crop: 'disabled' };
    nodes[index] = { class_type: 'ImageScale', inputs };
  }
  return JSON.stringify({ ...nodes, save: saveImage(String(count)) });
}

async function onReal(url: string): Promise<ContractSetup> {
  const info = parsePython(await get(`${url}/object_info`));
  const hasSleep = isFields(info) && 'CallsheetSleep' in info;
  let salt = Date.now() % 100_000;
  return {
    connect: () => createComfyUIBackend({ id: 'real', url }),
    raw: (path) => get(url + path),
    slow(mark) {
      salt += 1;
      const sleep = { class_type: 'CallsheetSleep', inputs: { image: ['1', 0], seconds: 60 } };
      return hasSleep ? JSON.stringify({ 1: emptyImage(mark), 9: sleep, 2: saveImage('9') }) : scalings(salt);
    },
    close: () => Promise.resolve(),
  };
}

describeBackend('comfyui on the fake server of 0.3.64', () => onFake({}), false);
describeBackend(
  'comfyui on the fake server of 0.26 with its jobs',
  () => onFake({ jobs: true, cancelRoute: true, version: '0.26.0' }),
  false,
);

const real = process.env['CALLSHEET_TEST_COMFYUI'] ?? '';

/** A suite is declared for whatever there is to ask; what is missing is said loudly. */
function declareReal(): void {
  if (real !== '') describeBackend(`comfyui on the real server at ${real}`, () => onReal(real));
  else
    process.stderr.write(
      '\n!! The backend contract did NOT run on a real ComfyUI: set CALLSHEET_TEST_COMFYUI=http://127.0.0.1:8188 to do so.\n\n',
    );
}

declareReal();
