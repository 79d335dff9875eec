// A server that refuses a part of a graph and does the rest answers 200: what was left out is told, and is the reason of what is missing.
import { describe, expect, it } from 'vitest';
import { startCacheRig } from './result-cache/cache-rig.ts';

/** The second saver gets a picture that the server does not have. */
const GRAPH = {
  '1': { class_type: 'EmptyImage', inputs: { width: 8, height: 8, batch_size: 1, color: 255 } },
  '2': { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'good' } },
  '3': { class_type: 'LoadImage', inputs: { image: 'nowhere.png' } },
  '4': { class_type: 'SaveImage', inputs: { images: ['3', 0], filename_prefix: 'bad' } },
};
const manifest = { optimize: false };

describe('a part of the graph that the server refuses', () => {
  it('is a warning of the run, whose other files come home, and such a result serves nobody else', async () => {
    const rig = await startCacheRig({ templates: { all: { graph: GRAPH, manifest, step: { cache: true } } } });
    const first = await rig.run({ template: 'all' });
    expect([first.status, first.artifacts.map(({ node }) => node)]).toEqual(['succeeded', ['2']]);
    expect(first.problems).toEqual([
      expect.objectContaining({
        code: 'PROMPT_PART_REFUSED',
        severity: 'warning',
        step: 'only',
        message: expect.stringContaining('nowhere.png'),
      }),
    ]);
    await rig.run({ template: 'all' });
    expect(rig.executed()).toBe(2);
  });

  it('is the reason where an output was to come from there', async () => {
    const rig = await startCacheRig({ templates: { named: { graph: GRAPH, manifest, step: { outputs: { good: '2', bad: '4' } } } } });
    const { status, error } = await rig.run({ template: 'named' });
    expect(status).toBe('failed');
    expect(error).toMatchObject({ code: 'OUTPUT_MISSING', step: 'only', node: '3' });
    expect(error?.message).toMatch(/output 'bad' \(node 4\)\. A part of the graph was left out by the backend: .*nowhere\.png/);
  });
});
