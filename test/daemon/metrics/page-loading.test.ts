// A page whose library could not be loaded at first.
import { collectDefaultMetrics } from 'prom-client';
import { expect, it, vi } from 'vitest';
import { createCounters } from '#daemon/metrics/counters.ts';
import { createMetricsPage } from '#daemon/metrics/page.ts';

vi.mock('prom-client', async (original) => ({
  ...(await original<object>()),
  collectDefaultMetrics: vi.fn<typeof collectDefaultMetrics>(),
}));

it('is made the next time when what makes it could not be loaded once', async () => {
  vi.mocked(collectDefaultMetrics).mockImplementationOnce(() => {
    throw new Error('too many open files');
  });
  const page = createMetricsPage(createCounters(), []);
  await expect(page.read()).rejects.toThrow('too many open files');
  expect((await page.read()).text).toContain('# TYPE callsheet_runs_accepted_total counter');
});
