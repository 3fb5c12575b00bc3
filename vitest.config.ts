import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/longest-first.ts';

/** Of the packages' tests those that `npm run soak` runs with its full counts as well. */
const FUZZ = ['packages/server/test/fuzz*.test.ts', 'packages/server/test/audio-{hostile,formats}.test.ts'];
const RULES = ['packages/server/test/architecture.test.ts', 'packages/server/test/docs.test.ts'];

// Every test file, and every fake program of a Mac, is a process of its own: they need not compile the same code again.
process.env['NODE_COMPILE_CACHE'] ??= join(tmpdir(), 'node-compile-cache');

export default defineConfig({
  test: {
    // A run without tests, or with a test singled out, is a failed run.
    passWithNoTests: false,
    allowOnly: false,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        // The rules of the repository: nothing to start, so `npm run check` runs them alone.
        test: { name: 'rules', include: RULES },
      },
      {
        test: {
          name: 'packages',
          // What is loaded and has become fast in one file is so for the next; no test changes a module that others load.
          isolate: false,
          maxWorkers: 3,
          include: ['packages/**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/dist/**', ...RULES, ...FUZZ],
          globalSetup: ['test/postgres.ts'],
          testTimeout: 20_000,
          hookTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'fuzz',
          isolate: false,
          maxWorkers: 3,
          include: FUZZ,
          globalSetup: ['test/postgres.ts'],
          testTimeout: 120_000,
          hookTimeout: 30_000,
        },
      },
      {
        // The product from outside: servers are started and killed, so apart from all others.
        test: {
          name: 'outside',
          include: ['test/**/*.test.ts'],
          globalSetup: ['test/postgres.ts'],
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
          testTimeout: 300_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
