/** The arrows of the house: who may import whom, checked in every file; and that each rule can fail. */
import { describe, expect, test } from 'vitest';
import { type RuleName, rules } from './architecture/rules.js';
import { readTree, treeOf } from './architecture/tree.js';

const ruleNames = Object.keys(rules) as RuleName[];
const tree = readTree();

describe('in this repository', () => {
  test('there are packages and files to look at', () => {
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
  readonly told: string;
}

const badExamples: BadExample[] = [
  {
    rule: 'every package imports only those it may',
    because: 'a type is an import too',
    files: {
      'packages/protocol/src/frame.ts': "import type { Sent } from '@hubbub/broker'; export type Frame = Sent;",
    },
    told: 'packages/protocol/src/frame.ts: imports packages/broker, which packages/protocol may not',
  },
  {
    rule: 'every package imports only those it may',
    because: 'a dynamic import is one too',
    files: { 'packages/protocol/src/frame.ts': "export const broker = await import('@hubbub/broker');" },
    told: 'packages/protocol/src/frame.ts: imports packages/broker, which packages/protocol may not',
  },
  {
    rule: 'every package imports only those it may',
    because: 'so is a type named in passing',
    files: { 'packages/protocol/src/frame.ts': "export type Frame = import('@hubbub/broker').Sent;" },
    told: 'packages/protocol/src/frame.ts: imports packages/broker, which packages/protocol may not',
  },
  {
    rule: 'every package imports only those it may',
    because: 'a new app must say first whom it imports',
    files: {
      'apps/door/package.json': '{"name":"@hubbub/door"}',
      'apps/door/src/index.ts': "export * from '@hubbub/protocol';",
    },
    told: 'apps/door: has no row in the table of arrows (tests/architecture/rules.ts)',
  },
  {
    rule: 'every package imports only those it may',
    because: 'an example uses what users have',
    files: { 'examples/chat/service.ts': "import '@hubbub/broker';" },
    told: 'examples/chat/service.ts: imports packages/broker, which examples may not',
  },
  {
    rule: 'every room of the edge imports only those it may',
    because: 'a message walks in one direction',
    files: {
      'apps/edge/src/sessions/session.ts':
        "import type { Dispatch } from '../frames/dispatch.js'; export type A = Dispatch;",
      'apps/edge/src/frames/dispatch.ts': 'export interface Dispatch { readonly type: string }',
    },
    told: 'apps/edge/src/sessions/session.ts: imports frames, which the room sessions may not',
  },
  {
    rule: 'every room of the edge imports only those it may',
    because: 'a room does not know how the edge is put together',
    files: {
      'apps/edge/src/drain/drain.ts': "export * from '../edge.js';",
      'apps/edge/src/edge.ts': 'export const edge = 1;',
    },
    told: 'apps/edge/src/drain/drain.ts: imports edge.ts, which the room drain may not',
  },
  {
    rule: 'every room of the edge imports only those it may',
    because: 'a new room must say first which rooms it imports',
    files: { 'apps/edge/src/cellar/bottle.ts': "import '../metrics.js';", 'apps/edge/src/metrics.ts': '' },
    told: 'apps/edge/src/cellar/bottle.ts: is in no room of the edge (tests/architecture/rules.ts)',
  },
  {
    rule: 'every room of the edge imports only those it may',
    because: 'every file is in a room, but three',
    files: { 'apps/edge/src/helpers.ts': "import './edge.js';", 'apps/edge/src/edge.ts': '' },
    told: 'apps/edge/src/helpers.ts: is in no room of the edge (tests/architecture/rules.ts)',
  },
  {
    rule: 'a package is imported through its exports only',
    because: 'an example has no way round either',
    files: { 'examples/chat/service.ts': "export * from '../../packages/protocol/src/frame.js';" },
    told: 'examples/chat/service.ts: imports ../../packages/protocol/src/frame.js, a file of another package or of the tests',
  },
  {
    rule: 'a package is imported through its exports only',
    because: 'dist and src are nobody else’s',
    files: { 'packages/broker/src/broker.ts': "export * from '@hubbub/protocol/dist/frame.js';" },
    told: 'packages/broker/src/broker.ts: imports @hubbub/protocol/dist/frame.js, which @hubbub/protocol does not export',
  },
  {
    rule: 'a package is imported through its exports only',
    because: 'nor is there a way round by the folders',
    files: { 'packages/broker/src/broker.ts': "export * from '../../protocol/src/frame.js';" },
    told: 'packages/broker/src/broker.ts: imports ../../protocol/src/frame.js, a file of another package or of the tests',
  },
  {
    rule: 'a package is imported through its exports only',
    because: 'nothing imports the tests',
    files: { 'packages/broker/src/broker.ts': "export * from '../../../tests/support/redis.js';" },
    told: 'packages/broker/src/broker.ts: imports ../../../tests/support/redis.js, a file of another package or of the tests',
  },
  {
    rule: 'package.json names exactly those of us that are imported',
    because: 'a dependency is missing',
    files: { 'packages/broker/package.json': '{"name":"@hubbub/broker"}' },
    told: 'packages/broker/package.json: lacks the dependency @hubbub/protocol',
  },
  {
    rule: 'package.json names exactly those of us that are imported',
    because: 'a dependency is idle',
    files: { 'apps/edge/package.json': '{"name":"@hubbub/edge","dependencies":{"@hubbub/broker":"1"}}' },
    told: 'apps/edge/package.json: names @hubbub/broker, which no file imports',
  },
  {
    rule: 'no file imports itself by a way round',
    because: 'two files need each other',
    files: { 'packages/protocol/src/frame.ts': "export type { Frame as Other } from './index.js';" },
    told: 'packages/protocol/src/index.ts: cycle packages/protocol/src/index.ts → packages/protocol/src/frame.ts → packages/protocol/src/index.ts',
  },
  {
    rule: 'no package imports itself by a way round',
    because: 'two packages need each other',
    files: { 'packages/protocol/src/frame.ts': "import '@hubbub/broker';" },
    told: 'packages/protocol: cycle packages/protocol → packages/broker → packages/protocol',
  },
  {
    rule: 'the engine is named in one file',
    because: 'it is imported elsewhere',
    files: { 'apps/edge/src/listener/websocket.ts': "import { App } from 'uWebSockets.js'; export const app = App();" },
    told: 'apps/edge/src/listener/websocket.ts: names uWebSockets.js, which only apps/edge/src/listener/engine.ts may',
  },
  {
    rule: 'the engine is named in one file',
    because: 'it can be loaded by its name as well',
    files: { 'apps/edge/src/listener/websocket.ts': "export const engine = load('uWebSockets.js-compat');" },
    told: 'apps/edge/src/listener/websocket.ts: names uWebSockets.js-compat, which only apps/edge/src/listener/engine.ts may',
  },
  {
    rule: 'ioredis stays inside folders called redis',
    because: 'it is imported elsewhere',
    files: { 'packages/broker/src/broker.ts': "import type { Redis } from 'ioredis'; export type Connection = Redis;" },
    told: 'packages/broker/src/broker.ts: imports ioredis outside a folder called redis',
  },
  {
    rule: 'the environment is read by the configuration only',
    because: 'it is read elsewhere',
    files: { 'apps/edge/src/edge.ts': 'export const port = process.env.HUBBUB_PORT;' },
    told: 'apps/edge/src/edge.ts: reads process.env (or imports node:process) outside packages/config/src/ and examples/service/settings.ts',
  },
  {
    rule: 'ioredis stays inside folders called redis',
    because: 'an example keeps its state behind an interface',
    files: { 'examples/chat/service.ts': "import '@hubbub/server'; import 'ioredis';" },
    told: 'examples/chat/service.ts: imports ioredis outside a folder called redis',
  },
  {
    rule: 'the environment is read by the configuration only',
    because: 'an example has one place for it',
    files: { 'examples/chat/service.ts': 'export const port = process.env.EXAMPLE_PORT;' },
    told: 'examples/chat/service.ts: reads process.env (or imports node:process) outside packages/config/src/ and examples/service/settings.ts',
  },
  {
    rule: 'the environment is read by the configuration only',
    because: 'it has another name as well',
    files: { 'apps/edge/src/edge.ts': "import { env } from 'node:process'; export const port = env.HUBBUB_PORT;" },
    told: 'apps/edge/src/edge.ts: reads process.env (or imports node:process) outside packages/config/src/ and examples/service/settings.ts',
  },
  {
    rule: 'imports say whom they import',
    because: 'a computed name evades every other rule',
    files: { 'apps/edge/src/edge.ts': "export const load = (name: string) => import(name + '.js');" },
    told: 'apps/edge/src/edge.ts: imports a module whose name is computed',
  },
  {
    rule: 'names say what is inside',
    because: 'a drawer invites everything',
    files: { 'packages/protocol/src/utils.ts': 'export const nothing = 0;' },
    told: 'packages/protocol/src/utils.ts: is called utils',
  },
];

describe('each rule can fail', () => {
  test.for(ruleNames)('but not on an innocent tree: %s', name => {
    expect(rules[name](treeOf(innocent))).toEqual([]);
  });

  test.for(badExamples)('$rule: $because', ({ rule, files, told }) => {
    expect(rules[rule](treeOf({ ...innocent, ...files }))).toEqual([told]);
  });

  test('there is a bad example of every rule', () => {
    expect(new Set(badExamples.map(({ rule }) => rule))).toEqual(new Set(ruleNames));
  });
});
