// What a run tells of its cache after it was tried again.
import { expect, it } from 'vitest';
import { startCacheRig } from './cache-rig.ts';

it('an item that the cache gave still says so after the run was tried again for another', async () => {
  const rig = await startCacheRig();
  await rig.run({ template: 'many', parameters: { colours: [1] } });
  // Twice is as often as a prompt is tried that does not fit.
  rig.sandbox.faults.outOfMemory = 2;
  const failed = await rig.run({ template: 'many', parameters: { colours: [1, 2] } });
  expect(failed).toMatchObject({ status: 'failed', steps: [{ cache: [{ item: 0, result: 'hit' }, { item: 1 }] }] });
  await rig.engine.supervisor.retry({ runId: failed.runId });
  const run = await rig.engine.ended(failed.runId);
  expect(run).toMatchObject({ status: 'succeeded', steps: [{ cache: [{ item: 0, result: 'hit' }, { item: 1 }] }] });
});
