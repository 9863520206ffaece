/** Stryker for one scope: `SCOPE=client npx stryker run tests/mutation/stryker.config.mjs`. Run by hand, not in CI. */

/** Each scope: the files that it mutates, and the unit tests that should notice it (by file, and `only` by name). */
const scopes = {
  client: {
    mutate: [
      'packages/client/src/{recovery,room-position,resume-frames,requests,outbox,membership,rooms,shared-room}.ts',
    ],
    tests: [
      'packages/client/test/{added-rooms,client,interleavings,late-answers,moving,negotiation,own-messages,rooms,sending}.test.ts',
      'packages/client/test/{recovery-holes,resume-frames,room-handles,room-position,visited-rooms}.test.ts',
      'packages/client/test/invariants-{end,frames,path-room,reconnecting,recovery,resume,room-tokens}.test.ts',
    ],
  },
  history: {
    mutate: ['apps/edge/src/history/!(create-histories|recovery-metrics).ts'],
    tests: ['apps/edge/test/{history-reader,join-feed*,replay-*,room-feed*,room-position*,silence}.test.ts'],
    only: /^(?!.* is refused after 5 s)/,
  },
  presence: {
    mutate: ['apps/presence/src/partition/*.ts'],
    tests: [
      'apps/presence/test/{deadlines,kept-members,large-rooms,member-status,questions,time-relations}.test.ts',
      'apps/presence/test/{dead-edges,partition,partition-losses,partition-model,partition-rules,registry-rows,takeovers}.test.ts',
    ],
  },
  protocol: {
    // Without tables: a test of them would repeat them.
    mutate: [
      'packages/protocol/src/*.ts',
      '!packages/protocol/src/{index,errors,close-codes,features,limits,identifiers,values}.ts',
    ],
    tests: ['packages/protocol/test/!(hostile-bytes|values).test.ts'],
    only: /^(?!.* of every format and length)/,
    testTimeoutMs: 20_000,
  },
  broker: {
    // Without the event log, whose tests wait for leases.
    mutate: [
      'packages/broker/src/{interest,lifecycle-positions}.ts',
      'packages/broker/src/memory/memory-{broker,history,lifecycle-log,node-leases,online-counter,report-log}.ts',
    ],
    tests: [
      'packages/broker/test/{broker,history,interest,lifecycle-log,memory-times,node-leases,online-counter,report-log}.test.ts',
    ],
    // Those on Redis do not touch what is mutated.
    only: /^(?!on Redis|redis|a broker whose)/,
    needsRedis: true,
  },
};

const name = process.env.SCOPE ?? '';
export const scope = scopes[name];
if (!scope) throw new Error(`SCOPE must be one of ${Object.keys(scopes).join(', ')}; got "${name}".`);

export default {
  testRunner: 'vitest',
  vitest: { configFile: 'tests/mutation/vitest.config.mjs', related: false },
  mutate: scope.mutate,
  mutator: {
    excludedMutations: [
      // Most strings are messages for people; the tests of the protocol compare the names on the wire.
      'StringLiteral',
      // Their mutants throw a TypeError on the spot, or leave out what the types demand.
      'ObjectLiteral',
      'ArrayDeclaration',
      'OptionalChaining',
      // Expressions are constants of modules, which are not mutated (`ignoreStatic`).
      'Regex',
    ],
  },
  coverageAnalysis: 'perTest',
  ignoreStatic: true,
  concurrency: 1,
  timeoutMS: 10_000,
  dryRunTimeoutMinutes: 5,
  // TypeScript 7 has no compiler API, so Stryker must not find a project to read.
  tsconfigFile: 'no-tsconfig.json',
  ignorePatterns: ['deploy', 'docs', 'k6', 'tools', '.cache'],
  reporters: ['progress-append-only', 'clear-text', 'json'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  jsonReporter: { fileName: `.cache/mutation-${name}.json` },
  tempDirName: `.cache/mutation-${name}`,
};
