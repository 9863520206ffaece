/** Findings of the prose check that stay. `file` begins the path, `text` is part of the finding; without it, all of the file's. */

export const EXCEPTIONS = [
  { file: 'docs/performance.md', reason: 'most of it is generated from the results of benchmarks' },
  {
    file: 'docs/failures.md',
    text: 'A table cell',
    reason: 'the last column quotes the titles of all tests that show it',
  },
  {
    file: 'docs/failures.md',
    text: 'A sentence has',
    reason: 'the last column quotes the titles of all tests that show it',
  },
  { file: 'tools/bench/scale/', text: 'The name `said`', reason: 'a key of the saved results' },
];
