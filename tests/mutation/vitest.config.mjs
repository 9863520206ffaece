/** The unit tests of one scope, without the Redis of the whole run. */
import { defineConfig } from 'vitest/config';
import { scope } from './stryker.config.mjs';

export default defineConfig({
  test: {
    include: scope.tests,
    setupFiles: ['tests/mutation/setup.mjs'],
    globalSetup: scope.needsRedis ? ['tests/support/global-setup.ts'] : [],
    isolate: false,
    // A mutant that makes a test hang ends here, and not with a restart of Stryker's process.
    testTimeout: scope.testTimeoutMs ?? 3_000,
  },
});
