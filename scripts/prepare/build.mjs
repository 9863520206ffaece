/** Compiles all packages and bundles the playground and the command line, when a source has changed since the last time. */
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { at, hashOf, listFiles, ROOT, readIfThere } from './files.mjs';
import { fail, runNode, say, secondsSince } from './terminal.mjs';

const STAMP = at('.cache/build-stamp');
const COMMAND_LINE = at('apps/hubbub/dist/cli/main.js');
/** The default export of each is an async function that bundles the SDK, the pages or the command line. */
const BUNDLES = ['packages/client/bundle.mjs', 'apps/hubbub/bundle-pages.mjs', 'apps/hubbub/bundle.mjs'];
/** Sources that are compiled there; pages are bundled when their example starts. */
const EXAMPLE_SOURCE = /^examples\/(?!(?:.*\/)?(?:page|test|node_modules)\/).*(?:\.ts|(?:package|tsconfig)\.json)$/;

export function isBuilt() {
  const sources = listSources();
  return readIfThere(STAMP) === stampOf(sources) && sources.every(hasOutput) && existsSync(COMMAND_LINE);
}

export async function build() {
  say('Building …');
  const startedAt = performance.now();
  const stamp = stampOf(listSources()); // Taken first: what changes while we build is built the next time.
  const code = await runNode('node_modules/typescript/bin/tsc', ['-b']);
  if (code !== 0) fail('The build failed; see the output of the compiler above.', code);
  for (const path of BUNDLES) {
    const { default: bundle } = await import(pathToFileURL(at(path)).href);
    await bundle();
  }
  const { stop } = await import('esbuild');
  await stop(); // Its service process would live as long as this one, which may become the server.
  writeFileSync(STAMP, stamp);
  say(`Built in ${secondsSince(startedAt)}.`);
}

/** Everything that the build reads, the versions of the dependencies included. */
function listSources() {
  const groups = ['packages', 'apps'].flatMap(folder => readdirSync(at(folder)).map(name => at(join(folder, name))));
  const members = [...groups, at('tools/kit')];
  const files = members.flatMap(member => [
    ...listFiles(join(member, 'src')),
    ...listFiles(join(member, 'playground')),
    ...listFiles(join(member, 'console')),
    ...listFiles(join(member, 'lua')),
    join(member, 'bundle.mjs'),
    join(member, 'bundle-pages.mjs'),
    join(member, 'package.json'),
    join(member, 'tsconfig.json'),
  ]);
  const examples = listFiles(at('examples')).filter(path => EXAMPLE_SOURCE.test(fromRoot(path)));
  return [
    ...files.filter(existsSync),
    ...examples,
    at('tsconfig.base.json'),
    at('tsconfig.json'),
    at('package-lock.json'),
  ].sort();
}

function stampOf(paths) {
  const facts = paths.map(path => {
    const { size, mtimeMs } = statSync(path);
    return `${fromRoot(path)} ${size} ${mtimeMs}`;
  });
  return hashOf(facts.join('\n'));
}

/** Somebody may have deleted a `dist`. The playground's sources have no output of their own. */
function hasOutput(path) {
  const source = fromRoot(path).replace(/^examples\//, 'examples/src/');
  const [, member, name] = /^((?:packages|apps)\/[^/]+|tools\/kit|examples)\/src\/(.*)(?<!\.d)\.ts$/.exec(source) ?? [];
  return member === undefined || existsSync(at(`${member}/dist/${name}.js`));
}

function fromRoot(path) {
  return relative(ROOT, path).replaceAll('\\', '/');
}
