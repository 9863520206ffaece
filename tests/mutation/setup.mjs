/** Keeps every test file fast: a mutant that a property would find only after seconds counts as survived. */
import fc from 'fast-check';
import { beforeEach } from 'vitest';
import { scope } from './stryker.config.mjs';

fc.configureGlobal({ interruptAfterTimeLimit: 60 });

beforeEach(({ task, skip }) => {
  if (scope.only && !scope.only.test(task.fullTestName)) skip();
});
