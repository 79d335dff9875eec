import { defineConfig } from 'vitest/config';

// Real processes, sockets and fsyncs run here: a test that hangs is cut at a guard far above its usual time.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    reporters: ['default'],
  },
});
