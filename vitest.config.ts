import { defineConfig } from 'vitest/config';

/** Files that put other modules in the place of ours, or of Node's (vi.mock): each has its modules for itself. */
const ISOLATED = 'test/**/*.isolated.test.ts';

export default defineConfig({
  test: {
    setupFiles: ['test/support/matchers.ts', 'test/support/properties.ts'],
    testTimeout: 60_000,
    // Many tests wait for a process of their own: all cores are worth it, where vitest would leave one free.
    maxWorkers: '100%',
    projects: [
      {
        extends: true,
        // Loading the modules once for all files of a worker, not for each, takes a sixth off the whole.
        test: {
          name: 'shared',
          isolate: false,
          include: ['test/**/*.test.ts'],
          exclude: [ISOLATED],
          setupFiles: ['test/support/settled.ts'],
        },
      },
      { extends: true, test: { name: 'isolated', include: [ISOLATED] } },
    ],
  },
});
