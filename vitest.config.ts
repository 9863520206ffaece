/** How the tests of every package are run. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: [
      'packages/*/test/**/*.test.ts',
      'apps/*/test/**/*.test.ts',
      'examples/test/**/*.test.ts',
      'tests/**/*.test.ts',
    ],
    globalSetup: ['tests/support/global-setup.ts'],
    reporters: ['default', './tests/support/plain-summary-reporter.ts'],
    // Built packages are code for Node: transforming them again took a third of the time of all imports.
    server: { deps: { external: [/\/dist\//] } },
    pool: 'forks',
    // Files wait for processes and timers for most of their time: with two together, two cores were busy for a third of it.
    maxWorkers: 4,
    // Longer than the kit's own patience, so that a failing test reports what it waited for.
    testTimeout: 90_000,
    hookTimeout: 90_000,
    // A second try beside what the first one left behind would pass where it must not; scripts/test.mjs has a better one.
    retry: 0,
  },
});
