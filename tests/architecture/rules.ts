/** The architecture rules (ARCHITECTURE.md). Each reads the tree and names file, import and rule of every breach. */
import { posix } from 'node:path';
import { findCycles } from './cycles.js';
import type { SourceFile } from './source-file.js';
import { type Member, type Target, type Tree, targetsOf } from './tree.js';

/** Returns one line for each breach. */
export type Rule = (tree: Tree) => string[];

/** The members that each package and app may import. `hubbub` puts everything together. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  'packages/protocol': [],
  'packages/config': ['packages/protocol'],
  'packages/runtime': ['packages/protocol'],
  'packages/broker': ['packages/protocol'],
  'packages/client': ['packages/protocol'],
  'packages/react': ['packages/client'],
  'packages/server': ['packages/broker', 'packages/protocol'],
  'apps/edge': ['packages/broker', 'packages/config', 'packages/protocol', 'packages/runtime'],
  'apps/presence': ['packages/broker', 'packages/protocol', 'packages/runtime'],
  'apps/api': ['packages/broker', 'packages/config', 'packages/protocol', 'packages/runtime', 'packages/server'],
  'apps/webhooks': ['packages/broker', 'packages/config', 'packages/protocol', 'packages/runtime', 'packages/server'],
  'apps/hubbub': [
    ...['broker', 'client', 'config', 'protocol', 'runtime', 'server'].map(name => `packages/${name}`),
    ...['api', 'edge', 'presence', 'webhooks'].map(name => `apps/${name}`),
  ],
  // Examples are programs of users: they import the SDKs, and start the hub with its command.
  examples: ['packages/client', 'packages/server', 'apps/hubbub'],
};

/**
 * The folders of the edge that each of them may import. A message passes through them in one direction.
 * `edge.ts` and `index.ts` connect all folders; every folder may import `metrics.ts`.
 */
const EDGE = 'apps/edge/src/';
const BELOW_MEMBERSHIPS = ['limits', 'admission', 'account', 'sessions', 'conflation', 'history', 'presence'];
const EDGE_ARROWS: Readonly<Record<string, readonly string[]>> = {
  limits: [],
  admission: ['limits'],
  account: ['limits', 'admission'],
  sessions: ['limits', 'admission', 'account'],
  conflation: ['sessions'],
  history: ['sessions'],
  presence: ['sessions'],
  drain: ['sessions'],
  rooms: BELOW_MEMBERSHIPS,
  services: [...BELOW_MEMBERSHIPS, 'rooms'],
  frames: [...BELOW_MEMBERSHIPS, 'rooms', 'services'],
  pusher: [...BELOW_MEMBERSHIPS, 'rooms', 'services', 'frames'],
  'event-streams': ['limits', 'admission', 'sessions', 'rooms'],
  listener: ['limits', 'admission', 'account', 'sessions', 'rooms', 'drain', 'pusher', 'event-streams'],
};
/** Files of the edge outside its folders; a folder may import only the first. */
const EDGE_TOP = ['metrics.ts', 'edge.ts', 'index.ts'];

const ENGINE_FILE = 'apps/edge/src/listener/engine.ts';
const CONFIGURATION = 'packages/config/src/';
const EXAMPLES_SETTINGS = 'examples/service/settings.ts';
/** Names without a meaning, which would collect everything. */
const EMPTY_NAMES = ['core', 'common', 'utils', 'shared', 'types'];

export const rules = {
  'every package imports only those it may': tree =>
    crossings(tree).flatMap(({ from, file, to }) => {
      const allowed = ARROWS[from.folder];
      if (allowed === undefined)
        return [`${from.folder}: has no row in the table of arrows (tests/architecture/rules.ts)`];
      return allowed.includes(to.folder) ? [] : [`${file.path}: imports ${to.folder}, which ${from.folder} may not`];
    }),

  'every folder of the edge imports only those it may': tree =>
    eachImport(tree).flatMap(({ file, target }) => {
      if (!file.path.startsWith(EDGE)) return [];
      const from = folderOf(file.path);
      if (from === undefined) return [];
      const allowed = EDGE_ARROWS[from];
      if (allowed === undefined)
        return [`${file.path}: is in no folder that the table names (tests/architecture/rules.ts)`];
      if (target.kind !== 'file' || !target.path.startsWith(EDGE)) return [];
      const to = folderOf(target.path) ?? target.path.slice(EDGE.length);
      if (to === from || to === EDGE_TOP[0] || allowed.includes(to)) return [];
      return [`${file.path}: imports ${to}, which the folder ${from} may not`];
    }),

  'a package is imported through its exports only': tree =>
    eachImport(tree).flatMap(({ from, file, specifier, target }) => {
      if (target.kind === 'file' && !target.path.startsWith(`${from.folder}/`)) {
        return [`${file.path}: imports ${specifier}, a file of another package or of the tests`];
      }
      if (target.kind !== 'member' || target.subpath in (target.member.manifest.exports ?? {})) return [];
      return [`${file.path}: imports ${specifier}, which ${target.member.manifest.name} does not export`];
    }),

  'package.json names exactly the imported members': tree =>
    tree.members.flatMap(member => {
      const imported = new Set(crossings(tree).flatMap(({ from, to }) => (from === member ? [to.manifest.name] : [])));
      const { dependencies, devDependencies, peerDependencies } = member.manifest;
      const declared = new Set(Object.keys({ ...dependencies, ...devDependencies, ...peerDependencies }));
      const ours = tree.members.map(({ manifest }) => manifest.name).filter(name => name !== member.manifest.name);
      const path = `${member.folder}/package.json`;
      return ours.flatMap(name => {
        if (imported.has(name) && !declared.has(name)) return [`${path}: lacks the dependency ${name}`];
        if (declared.has(name) && !imported.has(name)) return [`${path}: names ${name}, which no file imports`];
        return [];
      });
    }),

  'no file imports itself through others': tree => {
    const graph = new Map<string, Set<string>>();
    for (const { file, target } of eachImport(tree)) {
      const known = graph.get(file.path) ?? new Set();
      if (target.kind === 'file') known.add(target.path);
      graph.set(file.path, known);
    }
    return findCycles(graph).map(cycle => `${cycle[0]}: cycle ${cycle.join(' → ')}`);
  },

  'no package imports itself through others': tree => {
    const graph = new Map(tree.members.map(({ folder }) => [folder, new Set<string>()]));
    for (const { from, to } of crossings(tree)) graph.get(from.folder)?.add(to.folder);
    return findCycles(graph).map(cycle => `${cycle[0]}: cycle ${cycle.join(' → ')}`);
  },

  'the engine is named in one file': tree =>
    eachFile(tree).flatMap(file => {
      const named = [...file.texts, ...file.imports].find(text => /^uWebSockets\.js/.test(text));
      if (named === undefined || file.path === ENGINE_FILE) return [];
      return [`${file.path}: names ${named}, which only ${ENGINE_FILE} may`];
    }),

  'ioredis stays inside folders called redis': tree =>
    eachFile(tree).flatMap(file => {
      if (!file.imports.some(specifier => /^ioredis(\/|$)/.test(specifier))) return [];
      return file.path.includes('/redis/') ? [] : [`${file.path}: imports ioredis outside a folder called redis`];
    }),

  'the environment is read by the configuration only': tree =>
    eachFile(tree).flatMap(file =>
      file.readsEnvironment && !file.path.startsWith(CONFIGURATION) && file.path !== EXAMPLES_SETTINGS
        ? [
            `${file.path}: reads process.env (or imports node:process) outside ${CONFIGURATION} and ${EXAMPLES_SETTINGS}`,
          ]
        : [],
    ),

  'every import names its module': tree =>
    eachFile(tree).flatMap(file =>
      file.computedImports > 0 ? [`${file.path}: imports a module whose name is computed`] : [],
    ),

  'every name has a meaning': tree =>
    eachFile(tree).flatMap(file => {
      const words = [...posix.dirname(file.path).split('/'), posix.basename(file.path).replace(/\.tsx?$/, '')];
      return words.filter(word => EMPTY_NAMES.includes(word)).map(word => `${file.path}: is called ${word}`);
    }),
} as const satisfies Record<string, Rule>;

export type RuleName = keyof typeof rules;

/** The folder of a file of the edge; `undefined` for its top files. */
function folderOf(path: string): string | undefined {
  const inside = path.slice(EDGE.length);
  return EDGE_TOP.includes(inside) ? undefined : inside.split('/', 1)[0];
}

interface ImportOfFile {
  readonly from: Member;
  readonly file: SourceFile;
  readonly specifier: string;
  readonly target: Target;
}

function eachImport(tree: Tree): ImportOfFile[] {
  return tree.members.flatMap(from =>
    from.files.flatMap(file =>
      file.imports.flatMap(specifier =>
        targetsOf(tree, from, file, specifier).map(target => ({ from, file, specifier, target })),
      ),
    ),
  );
}

function eachFile(tree: Tree): SourceFile[] {
  return tree.members.flatMap(({ files }) => files);
}

/** Imports from one of our packages to another. */
function crossings(tree: Tree): { from: Member; file: SourceFile; to: Member }[] {
  return eachImport(tree).flatMap(({ from, file, target }) =>
    target.kind === 'member' && target.member !== from ? [{ from, file, to: target.member }] : [],
  );
}
