/** The import rules, checked in every file, and examples that prove that each rule can fail. */
import { describe, expect, test } from 'vitest';
import { type RuleName, rules } from './architecture/rules.js';
import { readTree, treeOf } from './architecture/tree.js';

const ruleNames = Object.keys(rules) as RuleName[];
const tree = readTree();

describe('in this repository', () => {
  test('there are packages and files to check', () => {
    const folders = tree.members.map(({ folder }) => folder);
    expect(folders).toEqual(expect.arrayContaining(['packages/protocol', 'apps/edge', 'examples']));
    for (const { folder, files } of tree.members) expect(files.length, folder).toBeGreaterThan(0);
  });

  test.for(ruleNames)('%s', name => {
    expect(rules[name](tree)).toEqual([]);
  });
});

/** Two packages that break no rule; each bad example replaces or adds files. */
const innocent = {
  'packages/protocol/package.json': '{"name":"@hubbub/protocol","exports":{".":"./dist/index.js"}}',
  'packages/protocol/src/index.ts': "export * from './frame.js';",
  'packages/protocol/src/frame.ts': 'export interface Frame { readonly type: string }',
  'packages/broker/package.json': '{"name":"@hubbub/broker","dependencies":{"@hubbub/protocol":"1"}}',
  'packages/broker/src/broker.ts': "import type { Frame } from '@hubbub/protocol'; export type Sent = Frame;",
  'packages/broker/src/redis/connection.ts': "import { Redis } from 'ioredis'; export const redis = new Redis();",
  'apps/edge/package.json': '{"name":"@hubbub/edge"}',
  'apps/edge/src/listener/engine.ts': "import type { App } from 'uWebSockets.js'; export type Engine = typeof App;",
  'packages/server/package.json': '{"name":"@hubbub/server","exports":{".":"./dist/index.js"}}',
  'packages/server/src/index.ts': 'export interface Hubbub { readonly close: () => void }',
  'examples/package.json': '{"name":"@hubbub/examples","dependencies":{"@hubbub/server":"1"}}',
  'examples/chat/service.ts': "import type { Hubbub } from '@hubbub/server'; export type Hub = Hubbub;",
  'examples/service/settings.ts': 'export const port = process.env.EXAMPLE_PORT;',
  'examples/state/redis/documents.ts': "import { Redis } from 'ioredis'; export const redis = new Redis();",
};

interface BadExample {
  readonly rule: RuleName;
  readonly because: string;
  readonly files: Readonly<Record<string, string>>;
  readonly finding: string;
}

const badExamples: BadExample[] = [
  {
    rule: 'every package imports only those it may',
    because: 'a type is an import too',
    files: {
      'packages/protocol/src/frame.ts': "import type { Sent } from '@hubbub/broker'; export type Frame = Sent;",
    },
    finding: 'packages/protocol/src/frame.ts: imports packages/broker, which packages/protocol may not',
  },
  {
    rule: 'every package imports only those it may',
    because: 'a dynamic import counts too',
    files: { 'packages/protocol/src/frame.ts': "export const broker = await import('@hubbub/broker');" },
    finding: 'packages/protocol/src/frame.ts: imports packages/broker, which packages/protocol may not',
  },
  {
    rule: 'every package imports only those it may',
    because: 'an inline type import counts too',
    files: { 'packages/protocol/src/frame.ts': "export type Frame = import('@hubbub/broker').Sent;" },
    finding: 'packages/protocol/src/frame.ts: imports packages/broker, which packages/protocol may not',
  },
  {
    rule: 'every package imports only those it may',
    because: 'a new app needs a row in the table first',
    files: {
      'apps/door/package.json': '{"name":"@hubbub/door"}',
      'apps/door/src/index.ts': "export * from '@hubbub/protocol';",
    },
    finding: 'apps/door: has no row in the table of arrows (tests/architecture/rules.ts)',
  },
  {
    rule: 'every package imports only those it may',
    because: 'an example uses only what users have',
    files: { 'examples/chat/service.ts': "import '@hubbub/broker';" },
    finding: 'examples/chat/service.ts: imports packages/broker, which examples may not',
  },
  {
    rule: 'every folder of the edge imports only those it may',
    because: 'a message passes in one direction',
    files: {
      'apps/edge/src/sessions/session.ts':
        "import type { Dispatch } from '../frames/dispatch.js'; export type A = Dispatch;",
      'apps/edge/src/frames/dispatch.ts': 'export interface Dispatch { readonly type: string }',
    },
    finding: 'apps/edge/src/sessions/session.ts: imports frames, which the folder sessions may not',
  },
  {
    rule: 'every folder of the edge imports only those it may',
    because: 'a folder does not know how the edge is composed',
    files: {
      'apps/edge/src/drain/drain.ts': "export * from '../edge.js';",
      'apps/edge/src/edge.ts': 'export const edge = 1;',
    },
    finding: 'apps/edge/src/drain/drain.ts: imports edge.ts, which the folder drain may not',
  },
  {
    rule: 'every folder of the edge imports only those it may',
    because: 'a new folder needs a row in the table first',
    files: { 'apps/edge/src/cellar/bottle.ts': "import '../metrics.js';", 'apps/edge/src/metrics.ts': '' },
    finding: 'apps/edge/src/cellar/bottle.ts: is in no folder that the table names (tests/architecture/rules.ts)',
  },
  {
    rule: 'every folder of the edge imports only those it may',
    because: 'all files but three are in a folder',
    files: { 'apps/edge/src/helpers.ts': "import './edge.js';", 'apps/edge/src/edge.ts': '' },
    finding: 'apps/edge/src/helpers.ts: is in no folder that the table names (tests/architecture/rules.ts)',
  },
  {
    rule: 'a package is imported through its exports only',
    because: 'an example cannot bypass them either',
    files: { 'examples/chat/service.ts': "export * from '../../packages/protocol/src/frame.js';" },
    finding:
      'examples/chat/service.ts: imports ../../packages/protocol/src/frame.js, a file of another package or of the tests',
  },
  {
    rule: 'a package is imported through its exports only',
    because: 'dist and src are private',
    files: { 'packages/broker/src/broker.ts': "export * from '@hubbub/protocol/dist/frame.js';" },
    finding:
      'packages/broker/src/broker.ts: imports @hubbub/protocol/dist/frame.js, which @hubbub/protocol does not export',
  },
  {
    rule: 'a package is imported through its exports only',
    because: 'a relative path cannot bypass them',
    files: { 'packages/broker/src/broker.ts': "export * from '../../protocol/src/frame.js';" },
    finding:
      'packages/broker/src/broker.ts: imports ../../protocol/src/frame.js, a file of another package or of the tests',
  },
  {
    rule: 'a package is imported through its exports only',
    because: 'nothing imports the tests',
    files: { 'packages/broker/src/broker.ts': "export * from '../../../tests/support/redis.js';" },
    finding:
      'packages/broker/src/broker.ts: imports ../../../tests/support/redis.js, a file of another package or of the tests',
  },
  {
    rule: 'package.json names exactly the imported members',
    because: 'a dependency is missing',
    files: { 'packages/broker/package.json': '{"name":"@hubbub/broker"}' },
    finding: 'packages/broker/package.json: lacks the dependency @hubbub/protocol',
  },
  {
    rule: 'package.json names exactly the imported members',
    because: 'a dependency is not used',
    files: { 'apps/edge/package.json': '{"name":"@hubbub/edge","dependencies":{"@hubbub/broker":"1"}}' },
    finding: 'apps/edge/package.json: names @hubbub/broker, which no file imports',
  },
  {
    rule: 'no file imports itself through others',
    because: 'two files import each other',
    files: { 'packages/protocol/src/frame.ts': "export type { Frame as Other } from './index.js';" },
    finding:
      'packages/protocol/src/index.ts: cycle packages/protocol/src/index.ts → packages/protocol/src/frame.ts → packages/protocol/src/index.ts',
  },
  {
    rule: 'no file imports itself through others',
    because: 'pages are TSX',
    files: {
      'examples/chat/page/app.tsx': "export * from './talk.js';",
      'examples/chat/page/talk.tsx': "export * from './app.js'; export const talk = <p>Hello</p>;",
    },
    finding:
      'examples/chat/page/app.tsx: cycle examples/chat/page/app.tsx → examples/chat/page/talk.tsx → examples/chat/page/app.tsx',
  },
  {
    rule: 'no package imports itself through others',
    because: 'two packages import each other',
    files: { 'packages/protocol/src/frame.ts': "import '@hubbub/broker';" },
    finding: 'packages/protocol: cycle packages/protocol → packages/broker → packages/protocol',
  },
  {
    rule: 'the engine is named in one file',
    because: 'it is imported elsewhere',
    files: { 'apps/edge/src/listener/websocket.ts': "import { App } from 'uWebSockets.js'; export const app = App();" },
    finding:
      'apps/edge/src/listener/websocket.ts: names uWebSockets.js, which only apps/edge/src/listener/engine.ts may',
  },
  {
    rule: 'the engine is named in one file',
    because: 'it can be loaded by its name, too',
    files: { 'apps/edge/src/listener/websocket.ts': "export const engine = load('uWebSockets.js-compat');" },
    finding:
      'apps/edge/src/listener/websocket.ts: names uWebSockets.js-compat, which only apps/edge/src/listener/engine.ts may',
  },
  {
    rule: 'ioredis stays inside folders called redis',
    because: 'it is imported elsewhere',
    files: { 'packages/broker/src/broker.ts': "import type { Redis } from 'ioredis'; export type Connection = Redis;" },
    finding: 'packages/broker/src/broker.ts: imports ioredis outside a folder called redis',
  },
  {
    rule: 'the environment is read by the configuration only',
    because: 'it is read elsewhere',
    files: { 'apps/edge/src/edge.ts': 'export const port = process.env.HUBBUB_PORT;' },
    finding:
      'apps/edge/src/edge.ts: reads process.env (or imports node:process) outside packages/config/src/ and examples/service/settings.ts',
  },
  {
    rule: 'ioredis stays inside folders called redis',
    because: 'an example keeps its state behind an interface',
    files: { 'examples/chat/service.ts': "import '@hubbub/server'; import 'ioredis';" },
    finding: 'examples/chat/service.ts: imports ioredis outside a folder called redis',
  },
  {
    rule: 'the environment is read by the configuration only',
    because: 'examples read it in one file',
    files: { 'examples/chat/service.ts': 'export const port = process.env.EXAMPLE_PORT;' },
    finding:
      'examples/chat/service.ts: reads process.env (or imports node:process) outside packages/config/src/ and examples/service/settings.ts',
  },
  {
    rule: 'the environment is read by the configuration only',
    because: 'it has another name, too',
    files: { 'apps/edge/src/edge.ts': "import { env } from 'node:process'; export const port = env.HUBBUB_PORT;" },
    finding:
      'apps/edge/src/edge.ts: reads process.env (or imports node:process) outside packages/config/src/ and examples/service/settings.ts',
  },
  {
    rule: 'every import names its module',
    because: 'a computed name evades every other rule',
    files: { 'apps/edge/src/edge.ts': "export const load = (name: string) => import(name + '.js');" },
    finding: 'apps/edge/src/edge.ts: imports a module whose name is computed',
  },
  {
    rule: 'every name has a meaning',
    because: 'a folder without a topic attracts everything',
    files: { 'packages/protocol/src/utils.ts': 'export const nothing = 0;' },
    finding: 'packages/protocol/src/utils.ts: is called utils',
  },
];

describe('each rule can fail', () => {
  test.for(ruleNames)('accepts a correct tree: %s', name => {
    expect(rules[name](treeOf(innocent))).toEqual([]);
  });

  test.for(badExamples)('$rule: $because', ({ rule, files, finding }) => {
    expect(rules[rule](treeOf({ ...innocent, ...files }))).toEqual([finding]);
  });

  test('every rule has a bad example', () => {
    expect(new Set(badExamples.map(({ rule }) => rule))).toEqual(new Set(ruleNames));
  });
});
