import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/support/matchers.ts'],
    testTimeout: 60_000,
    // Many tests wait for a process of their own: all cores are worth it, where vitest would leave one free.
    maxWorkers: '100%',
  },
});
