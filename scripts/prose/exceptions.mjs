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
  { file: 'apps/edge/src/metrics.ts', text: 'The name `told`', reason: 'a field of a log line that operators search' },
  { file: 'tests/deploy/haproxy.test.ts', text: 'The name `told`', reason: 'a field in the log of the edge' },
  { file: 'tests/deploy/nginx.test.ts', text: 'The name `told`', reason: 'a field in the log of the edge' },
  { file: 'tests/drain/drain.test.ts', text: 'The name `told`', reason: 'a field in the log of the edge' },
  { file: 'tools/bench/scale/', text: 'The name `said`', reason: 'a key of the saved results' },
];
