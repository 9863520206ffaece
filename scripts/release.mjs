/**
 * `npm run release -- --dry-run`: lists what would be published, and what forbids it. Without `--dry-run`, publishes with
 * provenance, which npm accepts only from a CI job.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readOptions } from './prepare/arguments.mjs';
import { at, ROOT } from './prepare/files.mjs';
import { fail, say } from './prepare/terminal.mjs';
import { prepare } from './prepare.mjs';
import { listPackages, packPackages, publishPackages, repositoryPage } from './release/packages.mjs';

const values = readOptions('npm run release --', { 'dry-run': { type: 'boolean', default: false } });
await prepare();
const { version } = JSON.parse(readFileSync(at('package.json'), 'utf8'));

for (const { name, size, files, ...packed } of packPackages(['--dry-run'])) {
  console.log(`${name}@${packed.version}  ${files.length} files  ${(size / 1000).toFixed(1)} kB packed`);
}
const problems = [...treeProblems(), ...versionProblems(), ...changelogProblems(), ...repositoryProblems()];
for (const problem of problems) console.log(`problem: ${problem}`);
if (problems.length > 0) fail(`Not ready to publish ${version}: ${problems.length} problems.`);
if (values['dry-run']) say(`Ready to publish ${version}.`);
else process.exitCode = publishPackages(['--provenance']);

function treeProblems() {
  const { stdout } = spawnSync('git', ['status', '--porcelain'], { cwd: ROOT, encoding: 'utf8' });
  return stdout === '' ? [] : ['The tree has uncommitted changes; commit them.'];
}

function versionProblems() {
  const expected = `expected ${version}, the version of package.json`;
  return listPackages().flatMap(manifest => [
    ...(manifest.version === version ? [] : [`${manifest.name} has version ${manifest.version}; ${expected}.`]),
    ...Object.entries({ ...manifest.dependencies, ...manifest.peerDependencies })
      .filter(([name, wanted]) => name.startsWith('@hubbub/') && wanted !== version)
      .map(([name, wanted]) => `${manifest.name} depends on ${name} ${wanted}; ${expected}.`),
  ]);
}

function changelogProblems() {
  const changelog = readFileSync(at('CHANGELOG.md'), 'utf8');
  return changelog.includes(`## [${version}]`) ? [] : [`CHANGELOG.md has no entry "## [${version}]".`];
}

function repositoryProblems() {
  const page = repositoryPage();
  const guide = readFileSync(at('docs/getting-started.md'), 'utf8');
  return [
    ...(page.includes('/OWNER/') ? ['The repository URL of package.json names OWNER; replace it there.'] : []),
    ...(guide.includes(`git clone ${page}.git `) ? [] : [`docs/getting-started.md does not clone ${page}.git.`]),
  ];
}
