/** The measured parts of the pages are computed from the saved results, without edits by hand. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { renderPages } from '../../tools/report/results.mjs';

test.for(renderPages())('%s shows what the saved results give', ([path, text]) => {
  expect(readFileSync(path, 'utf8')).toBe(text);
});
