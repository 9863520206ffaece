/** The packages, apps and examples of the repository as the rules see them: their files, manifests and imports. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readSourceFile, type SourceFile } from './source-file.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The fields that are read from a package.json. */
export interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, unknown>>;
  /** Own names beginning with `#`, each for several conditions. */
  readonly imports?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** One package or app, or the examples together. */
export interface Member {
  /** `packages/protocol`, `examples` */
  readonly folder: string;
  readonly manifest: Manifest;
  readonly files: readonly SourceFile[];
}

export interface Tree {
  readonly members: readonly Member[];
}

/** The target of an import. */
export type Target =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'member'; readonly member: Member; readonly subpath: string }
  | { readonly kind: 'outside'; readonly name: string };

const EXAMPLES = 'examples';

/** Reads the sources of `packages`, `apps` and `examples` from disk, without built files. */
export function readTree(): Tree {
  const folders = ['packages', 'apps'].flatMap(group => readdirSync(join(ROOT, group)).map(name => `${group}/${name}`));
  const paths = folders.flatMap(folder => [
    `${folder}/package.json`,
    ...['src', 'playground'].flatMap(part => sourcesBelow(`${folder}/${part}`)),
  ]);
  paths.push(`${EXAMPLES}/package.json`, ...sourcesBelow(EXAMPLES).filter(isExampleSource));
  return treeOf(Object.fromEntries(paths.map(path => [path, readFileSync(join(ROOT, path), 'utf8')])));
}

/** The examples have no `src`: built files and tests are beside the sources. */
function isExampleSource(path: string): boolean {
  return !/^examples\/(dist|test|node_modules)\//.test(path);
}

function isSource(path: string): boolean {
  return /\.tsx?$/.test(path);
}

function sourcesBelow(folder: string): string[] {
  if (!existsSync(join(ROOT, folder))) return [];
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter(isSource)
    .map(path => `${folder}/${path.replaceAll('\\', '/')}`);
}

/** A tree of files given as text, by path: package.json and sources. */
export function treeOf(texts: Readonly<Record<string, string>>): Tree {
  const members = Object.entries(texts)
    .filter(([path]) => path.endsWith('/package.json'))
    .map(([path, text]) => {
      const folder = posix.dirname(path);
      const files = Object.entries(texts)
        .filter(([file]) => file.startsWith(`${folder}/`) && isSource(file))
        .map(([file, source]) => readSourceFile(file, source));
      return { folder, manifest: JSON.parse(text) as Manifest, files };
    });
  return { members };
}

/** Resolves an import to the files or the member it may reach: several if a `#name` depends on conditions. */
export function targetsOf(tree: Tree, member: Member, file: SourceFile, specifier: string): Target[] {
  if (specifier.startsWith('.')) {
    const path = sourcePath(posix.join(posix.dirname(file.path), specifier));
    const isMarkup = member.files.some(other => other.path === `${path}x`);
    return [{ kind: 'file', path: isMarkup ? `${path}x` : path }];
  }
  if (specifier.startsWith('#')) {
    const outputs = Object.values(member.manifest.imports?.[specifier] ?? {});
    return outputs.map(output => ({ kind: 'file', path: sourcePath(posix.join(member.folder, output)) }));
  }
  const target = tree.members.find(({ manifest: { name } }) => specifier === name || specifier.startsWith(`${name}/`));
  if (target === undefined) return [{ kind: 'outside', name: specifier }];
  return [{ kind: 'member', member: target, subpath: `.${specifier.slice(target.manifest.name.length)}` }];
}

/** The source of an imported file: `dist/x.js` and `x.js` are written in `src/x.ts` and `x.ts`. */
function sourcePath(path: string): string {
  return path.replace('/dist/', '/src/').replace(/\.js$/, '.ts');
}
