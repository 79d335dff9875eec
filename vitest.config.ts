import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** How many times as many values as usual each property is tried with. */
const times = Number(process.env['CALLSHEET_TEST_RUNS'] ?? 1);

// Real processes, sockets and fsyncs run here: a test that hangs is cut at a guard far above its usual time.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/answers-fit.ts', ...(times === 1 ? [] : ['test/more-runs.ts'])],
    testTimeout: 30_000 * Math.max(1, times),
    hookTimeout: 60_000,
    // What is waited for comes within milliseconds; a busy machine must not make it a failure.
    expect: { poll: { timeout: 20_000 } },
    // Two on a small machine; more than four fight for one disk.
    maxWorkers: Math.min(4, Math.max(2, availableParallelism())),
    reporters: ['default'],
  },
});
