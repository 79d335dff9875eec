/** The contract of a backend as a suite: run alike against the fake, the sandbox and a real ComfyUI. Only pixel nodes are used. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Attempt, Backend, RemoteFile } from '#backends/contract.ts';
import { recogniseBytes } from '#results/recognise.ts';
import type { Recognised } from '#results/recognise.ts';
import { failure, isTerminal, record } from '../backends/comfyui/harness.ts';
import type { Recorder } from '../backends/comfyui/harness.ts';
import { OUTPUT_CASES } from './output-cases.ts';

export interface ContractSetup {
  /** A new instance on the same server, as a restarted daemon has one. */
  connect(): Backend;
  /** Raw text of `GET path`, beside the backend. */
  raw(path: string): Promise<string>;
  /** A graph that saves a picture and takes long enough to be cancelled, different for each mark. */
  slow(mark: number): string;
  close(): Promise<void>;
}

interface NodeJson {
  class_type: string;
  inputs: Record<string, unknown>;
}

export const emptyImage = (color: number, width = 64, height = 32): NodeJson => ({
  class_type: 'EmptyImage',
  inputs: { width, height, batch_size: 1, color },
});
export const saveImage = (from: string, prefix = 'contract'): NodeJson => ({
  class_type: 'SaveImage',
  inputs: { images: [from, 0], filename_prefix: prefix },
});

/** A pattern where the server words it. */
function worded(text: string | RegExp): unknown {
  return typeof text === 'string' ? text : { asymmetricMatch: (found: unknown) => typeof found === 'string' && text.test(found) };
}

const payload = (graph: Record<string, NodeJson> | string) => ({
  text: typeof graph === 'string' ? graph : JSON.stringify(graph),
  outputNodes: [],
});
const filesOf = async (recorder: Recorder): Promise<readonly RemoteFile[]> => {
  const end = await recorder.end;
  expect(end.type).toBe('finished');
  return end.type === 'finished' ? end.outputs.files : [];
};

/** `executes`: false for a server that gives only what it is told to. */
export function describeBackend(name: string, start: () => Promise<ContractSetup>, executes = true): void {
  describe(`${name} keeps the backend contract`, () => {
    let setup: ContractSetup;
    let backend: Backend;
    let dir: string;
    const others: Backend[] = [];

    beforeAll(async () => {
      dir = await mkdtemp(join(tmpdir(), 'callsheet-contract-'));
      setup = await start();
      backend = setup.connect();
    });
    afterAll(async () => {
      await Promise.all([backend, ...others].map((each) => each.close()));
      await setup.close();
      await rm(dir, { recursive: true });
    });

    const attempt = (): Attempt => ({
      runId: randomUUID(),
      step: 'contract',
      item: 0,
      attempt: 1,
      promptId: randomUUID(),
      backendId: backend.id,
    });
    const another = (): Backend => {
      const other = setup.connect();
      others.push(other);
      return other;
    };
    const begin = async (graph: Record<string, NodeJson> | string): Promise<{ attempt: Attempt; recorder: Recorder }> => {
      const own = attempt();
      const recorder = record(backend, own);
      await backend.submit(own, payload(graph));
      return { attempt: own, recorder };
    };
    const pixels = async (file: RemoteFile | undefined) => {
      if (file === undefined) throw new Error('no file was reported');
      const { stream } = await backend.fetch(file);
      const { data, info } = await sharp(await buffer(stream))
        .removeAlpha()
        .raw()
        .toBuffer({ resolveWithObject: true });
      return { width: info.width, height: info.height, first: [...data.subarray(0, 3)] };
    };

    it('describes itself and its nodes', async () => {
      const description = await backend.describe();
      expect(description.version).toMatch(/^\d+\.\d+\.\d+/);
      expect(description.queueRemaining).toBeGreaterThanOrEqual(0);
      expect(await backend.objectInfo()).toContain('"SaveImage"');
    });

    it('runs a graph and gives back a picture that decodes to the right pixels', async () => {
      const graph = { 1: emptyImage(0xff0000), 2: { class_type: 'ImageInvert', inputs: { image: ['1', 0] } }, 3: saveImage('2') };
      const { recorder } = await begin(graph);
      const files = await filesOf(recorder);
      expect(files.map((file) => [file.node, file.type])).toEqual([['3', 'output']]);
      expect(await pixels(files[0])).toEqual({ width: 64, height: 32, first: [0, 255, 255] });
    });

    it('reports queued, started, rising progress and exactly one end', async () => {
      const { recorder } = await begin({ 1: emptyImage(0x00ff00), 2: saveImage('1') });
      await recorder.end;
      const types = recorder.types();
      expect(types.indexOf('queued')).toBe(0);
      expect(types.filter((type) => type === 'started')).toHaveLength(1);
      expect(types.at(-1)).toBe('finished');
      expect(recorder.events.filter(isTerminal)).toHaveLength(1);
      const values = recorder.events.flatMap((event) => (event.type === 'progress' ? [event.value] : []));
      expect(values).toEqual(values.toSorted((a, b) => a - b));
      expect(values.every((value) => value >= 0 && value <= 1)).toBe(true);
    });

    it('finishes a graph whose nodes are all in the cache, with files of its own', async () => {
      const graph = { 1: emptyImage(0x123456), 2: saveImage('1') };
      const first = await filesOf((await begin(graph)).recorder);
      const second = await filesOf((await begin(graph)).recorder);
      expect(second).toHaveLength(1);
      expect(second[0]?.subfolder).not.toBe(first[0]?.subfolder);
      expect((await pixels(second[0])).first).toEqual([0x12, 0x34, 0x56]);
    });

    it('says absent for an id it never saw', async () => {
      expect(await backend.attach(attempt())).toEqual({ state: 'absent' });
    });

    it('finds an attempt running, the next one queued, and cancels exactly the one it is told to', async () => {
      const running = await begin(setup.slow(1));
      await running.recorder.saw('started');
      const queued = await begin({ 1: emptyImage(0x0000ff), 2: saveImage('1') });
      const daemonAfterCrash = another();
      expect((await daemonAfterCrash.attach(running.attempt)).state).toBe('running');
      expect((await daemonAfterCrash.attach(queued.attempt)).state).toBe('queued');

      expect(await backend.cancel(queued.attempt)).toEqual({ result: 'gone' });
      expect((await queued.recorder.end).type).toBe('interrupted');
      expect((await backend.attach(running.attempt)).state).toBe('running');

      expect(await backend.cancel(running.attempt)).toEqual({ result: 'gone' });
      expect((await running.recorder.end).type).toBe('interrupted');
      expect((await backend.attach(running.attempt)).state).toBe('interrupted');
    });

    it('says finished to a cancel that comes too late', async () => {
      const { attempt: own, recorder } = await begin({ 1: emptyImage(0x00ffff), 2: saveImage('1') });
      await recorder.end;
      expect(await backend.cancel(own)).toEqual({ result: 'finished' });
      expect((await backend.attach(own)).state).toBe('finished');
    });

    it('lets a second instance find and follow what the first one sent', async () => {
      const { attempt: own, recorder } = await begin({ 1: emptyImage(0xffff00), 2: saveImage('1') });
      const adopted = record(another(), own, { acknowledged: true });
      const [here, there] = await Promise.all([recorder.end, adopted.end]);
      // Only who sent it is told what each node took.
      expect(there).toMatchObject({ type: 'finished', outputs: here.type === 'finished' ? here.outputs : {} });
    });

    it('runs two attempts side by side and keeps their files apart', async () => {
      const [red, blue] = await Promise.all([
        begin({ 1: emptyImage(0xff0000), 2: saveImage('1') }),
        begin({ 1: emptyImage(0x0000ff), 2: saveImage('1') }),
      ]);
      const [redFiles, blueFiles] = await Promise.all([filesOf(red.recorder), filesOf(blue.recorder)]);
      expect((await pixels(redFiles[0])).first).toEqual([255, 0, 0]);
      expect((await pixels(blueFiles[0])).first).toEqual([0, 0, 255]);
    });

    for (const one of executes ? OUTPUT_CASES : []) {
      it(`brings home ${one.name}, where it has the nodes`, async ({ skip }) => {
        const info = await backend.objectInfo();
        const classes = [...Object.values(one.graph).map((each) => each.class_type), ...(one.onSandbox === true ? ['SandboxSleep'] : [])];
        const missing = classes.find((each) => !info.includes(`"${each}":`));
        skip(missing !== undefined, `the server has no ${missing ?? ''}`);
        const { recorder } = await begin(JSON.stringify(one.graph));
        const end = await recorder.end;
        expect(end).toMatchObject({ type: 'finished' });
        const { files, texts } = end.type === 'finished' ? end.outputs : { files: [], texts: [] };
        const found: Record<string, string[]> = {};
        const seen: Recognised[] = [];
        for (const file of files) {
          const { stream } = await backend.fetch(file);
          const recognised = await recogniseBytes(await buffer(stream));
          expect(recognised.fault).toBeUndefined();
          seen.push(recognised);
          (found[file.node] ??= []).push(recognised.kind);
        }
        expect(found).toEqual(one.files);
        expect(files.map(({ type, isGuess = false }) => ({ type, isGuess }))).toEqual(
          files.map(() => ({ type: one.temp === true ? 'temp' : 'output', isGuess: one.isGuess === true })),
        );
        expect(seen[0] ?? {}).toMatchObject(one.first ?? {});
        for (const [node, expected] of Object.entries(one.texts ?? {}))
          expect(texts.filter((text) => text.node === node).map(({ text }) => text)).toEqual(expected.map(worded));
      });
    }

    it('uploads a file once and lets a graph load it', async () => {
      const bytes = await sharp({ create: { width: 10, height: 6, channels: 3, background: { r: 10, g: 20, b: 30 } } })
        .png()
        .toBuffer();
      const path = join(dir, 'päinting "1".png');
      await writeFile(path, bytes);
      const file = { path, name: 'päinting "1".png', mediaType: 'image/png', sha256: createHash('sha256').update(bytes).digest('hex') };
      const stored = await backend.upload(file);
      expect(stored).toContain(file.sha256);
      expect(await backend.upload(file)).toBe(stored);
      expect(await another().upload(file)).toBe(stored);
      const { recorder } = await begin({ 1: { class_type: 'LoadImage', inputs: { image: stored } }, 2: saveImage('1') });
      expect(await pixels((await filesOf(recorder))[0])).toEqual({ width: 10, height: 6, first: [10, 20, 30] });
    });

    it('refuses a graph with an unknown class, naming node and class', async () => {
      const error = await failure(
        backend.submit(attempt(), payload({ 7: { class_type: 'NoSuchNodeAnywhere', inputs: {} }, 2: saveImage('7') })),
      );
      expect(error.code).toBe('PROMPT_REJECTED');
      expect(error.data.problems?.[0]).toMatchObject({ code: 'NODE_CLASS_UNKNOWN', node: '7' });
      expect(error.message).toContain('NoSuchNodeAnywhere');
    });

    it('refuses a graph with a value out of range, naming node and input', async () => {
      const error = await failure(backend.submit(attempt(), payload({ 5: emptyImage(0, 0), 2: saveImage('5') })));
      expect(error.code).toBe('PROMPT_REJECTED');
      expect(error.data.problems?.[0]).toMatchObject({ code: 'INPUT_RANGE', node: '5', input: 'width' });
      expect(error.data.hint).toMatch(/\w/);
    });

    it('carries 64-bit integers and a marker through to the history unchanged', async () => {
      const graph = `{"1":{"class_type":"EmptyImage","inputs":{"width":16,"height":16,"batch_size":1,"color":255,"seed":18446744073709551615}},"2":${JSON.stringify(saveImage('1'))}}`;
      const { attempt: own, recorder } = await begin(graph);
      await recorder.end;
      const history = await setup.raw(`/history/${own.promptId}`);
      expect(history).toContain('18446744073709551615');
      expect(history).toContain(own.runId);
    });

    it('forgets its own entry of the history and no other', async () => {
      const kept = await begin({ 1: emptyImage(0x010101), 2: saveImage('1') });
      const dropped = await begin({ 1: emptyImage(0x020202), 2: saveImage('1') });
      await Promise.all([kept.recorder.end, dropped.recorder.end]);
      await backend.forget(dropped.attempt);
      expect((await backend.attach(dropped.attempt)).state).toBe('absent');
      expect((await backend.attach(kept.attempt)).state).toBe('finished');
    });

    it('finds the files of a prompt that it has forgotten, by the names that the graph proves', async () => {
      const graph = { 1: emptyImage(0x040404), 2: saveImage('1', 'left/over'), 3: saveImage('1', 'second') };
      const never = await backend.findLeft?.(attempt(), payload(graph));
      expect(never).toEqual({ state: 'nothing' });
      const { attempt: own, recorder } = await begin(graph);
      const files = await filesOf(recorder);
      await backend.forget(own);
      const left = await backend.findLeft?.(own, payload(graph));
      const byNode = (a: RemoteFile, b: RemoteFile) => Number(a.node) - Number(b.node);
      expect(left?.state === 'complete' ? left.outputs.files.toSorted(byNode) : left).toEqual(files.toSorted(byNode));
      expect(await backend.findLeft?.(attempt(), payload(graph))).toEqual({ state: 'nothing' });
    });

    it('says that an output is missing when the file is gone', async () => {
      const gone: RemoteFile = { node: '2', key: 'images', filename: 'never_00001_.png', subfolder: 'callsheet', type: 'output' };
      expect((await failure(backend.fetch(gone))).code).toBe('OUTPUT_MISSING');
    });

    it('is asked to free memory without complaint', async () => {
      await backend.free();
      const { recorder } = await begin({ 1: emptyImage(0x030303), 2: saveImage('1') });
      expect(await filesOf(recorder)).toHaveLength(1);
    });
  });
}
