import { defineConfig } from 'vitest/config';

/** Pages in a real browser: needs Chromium, so apart from `npm test`. */
export default defineConfig({
  test: {
    include: ['test/browser/**/*.browser.ts'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    maxWorkers: 1,
  },
});
