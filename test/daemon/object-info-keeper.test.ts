import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Backend } from '#backends/contract.ts';
import { createObjectInfoKeeper } from '#daemon/object-info-keeper.ts';
import { createLibrary } from '#templates/library.ts';

const INFO = JSON.stringify({ KSampler: { input: { required: { steps: ['INT', { max: 77 }] } }, output: [] } });
let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'callsheet-keeper-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

async function open(answer: () => Promise<string>, kind: Backend['kind'] = 'comfyui') {
  const file = join(dir, 'cache', 'object_info.json');
  const library = createLibrary([join(dir, 'shelf')], { objectInfoFile: file });
  const asked: string[] = [];
  const refreshed = Promise.withResolvers<void>();
  const backend = {
    id: 'gpu',
    kind,
    objectInfo: () => {
      asked.push('gpu');
      return answer();
    },
  };
  const refresh = async (paths: readonly string[]) => {
    await library.refresh(paths);
    refreshed.resolve();
  };
  const keeper = createObjectInfoKeeper({ file, backends: [backend], library, refresh, log: pino({ enabled: false }) });
  return { file, library, keeper, asked, refreshed: refreshed.promise };
}

function drop(name: string, content: object): void {
  mkdirSync(dirname(join(dir, 'shelf', name)), { recursive: true });
  writeFileSync(join(dir, 'shelf', name), JSON.stringify(content));
}

describe('the object info that is kept', () => {
  it('gives adopted workflows the bounds of the backend, also when it is away at the next start', async () => {
    drop('w.json', { '1': { class_type: 'KSampler', inputs: { steps: '{count}' } } });
    const { file, library, keeper, refreshed } = await open(async () => INFO);
    await library.refresh();
    const bound = () => library.get('w')?.template?.parameters.get('count')?.maximum;
    expect(bound()).toBeUndefined();
    keeper.look();
    await refreshed;
    expect(bound()).toBe(77);
    expect(readFileSync(file, 'utf8')).toBe(INFO);
    await keeper.close();
    const next = await open(() => Promise.reject(new Error('away')));
    await next.library.refresh();
    expect(next.library.get('w')?.template?.parameters.get('count')?.maximum).toBe(77);
    await next.keeper.close();
  });

  it('is waited for at the start when a workflow cannot run without it', async () => {
    drop('ui.json', {
      version: 0.4,
      nodes: [{ id: 1, type: 'KSampler', mode: 0, inputs: [], outputs: [], widgets_values: [5] }],
      links: [],
    });
    const { library, keeper } = await open(async () => INFO);
    await library.refresh();
    expect(library.get('ui')?.runnable).toBe(false);
    await keeper.begin();
    expect(library.get('ui')).toMatchObject({ runnable: true });
    await keeper.close();
  });

  it('is waited for by a folder whose workflow is in UI format, too', async () => {
    drop('a/template.json', { format: 1, id: 'a', version: '1.0.0', steps: [{ id: 's', workflow: 'ui.json' }] });
    drop('a/ui.json', {
      version: 0.4,
      nodes: [{ id: 1, type: 'KSampler', mode: 0, inputs: [], outputs: [], widgets_values: [5] }],
      links: [],
    });
    const { library, keeper } = await open(async () => INFO);
    await library.refresh();
    expect(library.get('a')?.runnable).toBe(false);
    await keeper.begin();
    expect(library.get('a')).toMatchObject({ runnable: true });
    await keeper.close();
  });

  it('is not asked for without adopted workflows, nor of a backend without node classes', async () => {
    const none = await open(async () => INFO);
    await none.library.refresh();
    await none.keeper.begin();
    expect(none.asked).toEqual([]);
    await none.keeper.close();
    drop('w.json', { '1': { class_type: 'KSampler', inputs: {} } });
    const wan = await open(async () => INFO, 'wan2gp');
    await wan.library.refresh();
    await wan.keeper.begin();
    expect(wan.asked).toEqual([]);
    await wan.keeper.close();
  });
});
