import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Payload } from '#backends/contract.ts';
import { parseConfig } from '#daemon/config.ts';
import { startDaemon } from '#daemon/daemon.ts';
import { connect } from '#protocol/client.ts';
import { currentManifest } from '#templates/migrate-format.ts';
import { REST_MS } from '#templates/stamp.ts';
import { filesOf, graph, writeTemplate } from './hot-reload-harness.ts';

async function daemonOver(options: { readonly submitted?: (payload: Payload) => Promise<void> } = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'callsheet-whole-'));
  const templates = join(dir, 'templates');
  writeTemplate(join(templates, 'hero'), filesOf('hero', 0));
  const env = { HOME: dir, CALLSHEET_DATA: join(dir, 'data'), CALLSHEET_RUNTIME_DIR: join(dir, 'rt'), CALLSHEET_LOG_LEVEL: 'silent' };
  const config = parseConfig({ templates: [templates], backends: ['sandbox'] }, env, dir);
  const daemon = await startDaemon(
    { ...config, limits: { ...config.limits, callBurst: 10_000 } },
    {
      wrapBackend: (backend) => ({
        ...backend,
        async submit(attempt, payload, signal) {
          await options.submitted?.(payload);
          return backend.submit(attempt, payload, signal);
        },
      }),
    },
  );
  const client = await connect(daemon.endpoint);
  return {
    templates,
    client,
    async [Symbol.asyncDispose]() {
      await client.close();
      await daemon.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** All numbers of saves that stand in a text. */
const savesIn = (text: string): string[] => [...new Set([...text.matchAll(/save (\d+)/g)].map(([, save]) => save ?? ''))];

describe('[F22] a template that is saved while it is used', () => {
  it('is whole in each of 1,000 renderings: manifest and workflows always belong to one save', async () => {
    await using one = await daemonOver();
    const folder = join(one.templates, 'hero');
    const stop = new AbortController();
    let save = 0;
    /** Saves that the machine itself tore into two, by a pause between two files: then both states were really saved. */
    const torn = new Set<string>();
    const writer = (async () => {
      for (save = 1; !stop.signal.aborted; save += 1) {
        let before = performance.now();
        // File by file, with time between them, as editors and copying programs do.
        for (const [name, text] of Object.entries(filesOf('hero', save))) {
          const begun = performance.now();
          if (save % 2 === 0) writeFileSync(join(folder, name), text);
          else {
            writeFileSync(join(folder, `${name}.tmp`), text);
            renameSync(join(folder, `${name}.tmp`), join(folder, name));
          }
          // The longest that may lie between two changes as the disk has them.
          if (performance.now() - before > REST_MS * 0.75) torn.add([save - 1, save].join());
          before = begun;
          await sleep((save * 7) % 30);
        }
        await sleep((save % 3) * 90);
      }
    })();
    const seen = new Set<string>();
    const mixed: string[][] = [];
    for (let round = 0; round < 40; round += 1) {
      const answers = await Promise.all(
        Array.from({ length: 25 }, async (_, at) => {
          if (at % 5 === 0) await one.client.call('template/check', { id: 'hero' });
          return one.client.call('template/render', { id: 'hero' });
        }),
      );
      for (const { steps } of answers) {
        const saves = savesIn(steps.map(({ workflow }) => workflow ?? '').join());
        if (saves.length === 1 && steps.length === 2) seen.add(saves[0] ?? '');
        else if (!torn.has(saves.toSorted((a, b) => Number(a) - Number(b)).join())) mixed.push(saves);
      }
      const { template } = await one.client.call('template/get', { id: 'hero' });
      expect(template.problems).toEqual([]);
      expect(template.runnable).toBe(true);
      await sleep(20);
    }
    stop.abort();
    await writer;
    expect(mixed).toEqual([]);
    // It was not one version all the time, and the last save is seen.
    expect(seen.size).toBeGreaterThan(1);
    await expect
      .poll(async () => (await one.client.call('template/get', { id: 'hero' })).template.title, { timeout: 20_000 })
      .toBe(`save ${save - 1}`);
  });

  it('is whole in each of 1,000 renderings while two migrations write into it and its author saves drafts', async () => {
    await using one = await daemonOver();
    const folder = join(one.templates, 'hero');
    const draftOf = (save: number): Record<string, string> => {
      const files = filesOf('hero', save);
      return {
        ...files,
        'template.json': (files['template.json'] ?? '').replace('"format": 1', '"format": 0').replace('"title"', '"name"'),
      };
    };
    const manifests = new Set([filesOf('hero', 0)['template.json']]);
    const migrators = [1, 2].map(() => fork(join(import.meta.dirname, 'migrate-child.ts'), [folder]));
    const reports = migrators.map(
      async (child) => (await once(child, 'message'))[0] as { written: number; conflicts: number; others: string[] },
    );
    const stop = new AbortController();
    let save = 0;
    const torn = new Set<string>();
    const put = async (): Promise<void> => {
      save += 1;
      const files = draftOf(save);
      manifests.add(files['template.json']).add(currentManifest(files['template.json'] ?? ''));
      let before = performance.now();
      for (const [name, text] of Object.entries(files)) {
        const begun = performance.now();
        writeFileSync(join(folder, `${name}.tmp`), text);
        renameSync(join(folder, `${name}.tmp`), join(folder, name));
        if (performance.now() - before > REST_MS * 0.75) torn.add([save - 1, save].join());
        before = begun;
        await sleep(save % 5);
      }
    };
    const writer = (async () => {
      while (!stop.signal.aborted) {
        await put();
        await sleep(40 + (save % 4) * 60);
      }
    })();
    const wrong: unknown[] = [];
    const seen = new Set<string>();
    for (let round = 0; round < 40; round += 1) {
      const answers = await Promise.all(Array.from({ length: 25 }, () => one.client.call('template/render', { id: 'hero' })));
      for (const { steps } of answers) {
        const saves = savesIn(steps.map(({ workflow }) => workflow ?? '').join());
        if (saves.length === 1 && steps.length === 2) seen.add(saves[0] ?? '');
        else if (!torn.has(saves.toSorted((a, b) => Number(a) - Number(b)).join())) wrong.push(saves);
      }
      const now = readFileSync(join(folder, 'template.json'), 'utf8');
      if (!manifests.has(now)) wrong.push(now);
      const { template } = await one.client.call('template/get', { id: 'hero' });
      if (!template.runnable || template.problems.some(({ severity }) => severity !== 'info')) wrong.push(template.problems);
      await sleep(20);
    }
    stop.abort();
    await writer;
    for (const child of migrators) child.send('stop');
    const done = await Promise.all(reports);
    expect(wrong).toEqual([]);
    expect(done.flatMap(({ others }) => others)).toEqual([]);
    expect(done.reduce((sum, { written }) => sum + written, 0)).toBeGreaterThan(0);
    expect(seen.size).toBeGreaterThan(1);
    await put();
    await expect
      .poll(async () => (await one.client.call('template/get', { id: 'hero' })).template.title, { timeout: 20_000 })
      .toBe(`save ${save}`);
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('goes on in a running run as it was when the run started', async () => {
    const reached = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    const sent: string[] = [];
    await using one = await daemonOver({
      async submitted({ text }) {
        sent.push(...savesIn(text));
        if (sent.length > 1) return;
        reached.resolve();
        await go.promise;
      },
    });
    const image = { class_type: 'EmptyImage', inputs: { width: 64, height: 64, batch_size: 1, color: 0 } };
    const workflow = (save: number): string =>
      JSON.stringify({
        ...graph(''),
        '1': { class_type: 'SaveImage', inputs: { images: ['2', 0], filename_prefix: `save ${save}` } },
        '2': image,
      });
    const put = (save: number): void => {
      const { 'template.json': manifest = '' } = filesOf('hero', save);
      const ordered = JSON.parse(manifest) as { steps: { needs?: string[] }[] };
      if (ordered.steps[1] !== undefined) ordered.steps[1].needs = ['a'];
      writeTemplate(join(one.templates, 'hero'), {
        'template.json': JSON.stringify(ordered),
        'a.json': workflow(save),
        'b.json': workflow(save),
      });
    };
    const titled = async (): Promise<string> => (await one.client.call('template/get', { id: 'hero' })).template.title;
    put(1);
    await expect.poll(titled, { timeout: 20_000 }).toBe('save 1');
    const { runId } = await one.client.call('run/start', { template: 'hero', parameters: {}, cache: false });
    await reached.promise;
    put(2);
    await expect.poll(titled, { timeout: 20_000 }).toBe('save 2');
    rmSync(join(one.templates, 'hero'), { recursive: true });
    await expect
      .poll(async () => (await one.client.call('template/list')).templates.some(({ id }) => id === 'hero'), { timeout: 20_000 })
      .toBe(false);
    go.resolve();
    await expect.poll(async () => (await one.client.call('run/get', { runId })).run.status, { timeout: 20_000 }).toBe('succeeded');
    expect(sent).toEqual(['1', '1']);
  });

  it('costs a start of the daemon no second reading, and its memory is in daemon/status', async () => {
    await using one = await daemonOver();
    await one.client.call('template/render', { id: 'hero' });
    const { templates, dataDir } = await one.client.call('daemon/status');
    expect(templates).toMatchObject({ compiledLimit: 64 * 1024 * 1024, sources: 0, sourceBytes: 0 });
    expect(templates.known).toBeGreaterThan(1);
    expect(templates.compiledBytes).toBeGreaterThan(0);
    expect(
      readFileSync(join(dataDir, 'cache', 'templates.db'))
        .subarray(0, 15)
        .toString(),
    ).toBe('SQLite format 3');
  });
});
