import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 300_000, // machines differ: a limit here only ends what hangs
    hookTimeout: 300_000,
    maxWorkers: 2,
  },
});
