/** The Dockerfile, read by a linter and compared with the repository. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FREE_PORTS } from '@hubbub/tools/kit';
import { validate } from 'dockerfile-utils';
import { expect, test } from 'vitest';
import { startProcess } from '../support/process.js';
import { at, listAt } from './support/manifests.js';
import { unknownSettingsIn } from './support/settings.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const dockerfile = readFileSync(`${ROOT}Dockerfile`, 'utf8');

function complaints(text: string): string[] {
  return validate(text).map(({ message, range }) => `line ${range.start.line + 1}: ${message}`);
}

test('the linter reports nothing', () => {
  expect(complaints(dockerfile)).toEqual([]);
  expect(complaints(dockerfile.replace('COPY --from', 'COPY --form')).join()).toContain('Unknown flag: form');
});

test('its images run as an unprivileged user, on a system with glibc, and name existing settings', () => {
  const images = dockerfile.split(/^FROM /m).filter(stage => /^ENTRYPOINT /m.test(stage));
  expect(images.map(stage => /^\S+ AS (\S+)/.exec(stage)?.[1])).toEqual(['example', 'runtime']);
  expect(images.filter(stage => !/^USER node$/m.test(stage))).toEqual([]);
  expect(dockerfile).not.toMatch(/alpine$/m);
  expect(unknownSettingsIn(dockerfile)).toEqual([]);
});

test('it copies only existing files, and everything that the command line and the examples need', () => {
  const copied = [...dockerfile.matchAll(/^COPY (?!--)(.+) \S+$/gm)].flatMap(([, paths = '']) => paths.split(' '));
  expect(copied.length).toBeGreaterThan(5);
  expect(copied.filter(path => !existsSync(`${ROOT}${path}`))).toEqual([]);
  const lock: unknown = JSON.parse(readFileSync(`${ROOT}package-lock.json`, 'utf8'));
  for (const [workspace, project] of [
    ['@hubbub/cli', 'apps/hubbub'],
    ['@hubbub/examples', 'examples'],
  ] as const) {
    const needed = workspacesOf(workspace, lock, new Set());
    expect([...needed].length).toBeGreaterThan(5);
    expect(projectsOf(project, new Set())).toEqual(needed);
    expect([...needed].filter(folder => !copied.some(path => `${folder}/`.startsWith(`${path}/`)))).toEqual([]);
  }
});

test('.dockerignore admits the files that it copies from the context', () => {
  const ignore = readFileSync(`${ROOT}.dockerignore`, 'utf8').split('\n');
  const copied = [...dockerfile.matchAll(/^COPY (?!--)(.+) \S+$/gm)].flatMap(([, paths = '']) => paths.split(' '));
  expect(copied.filter(path => !ignore.some(rule => `${path}/`.startsWith(`${rule.slice(1)}/`)))).toEqual([]);
});

function healthOf(port: number) {
  const { status, stdout } = spawnSync(`${ROOT}deploy/image/healthy.sh`, [String(port)], { encoding: 'utf8' });
  return { status, stdout };
}

test('its health check starts no Node, and accepts a process that serves and no other', async () => {
  expect(dockerfile.match(/^HEALTHCHECK .*CMD \["\/app\/healthy\.sh".*$/gm)).toHaveLength(2);
  const hub = await startProcess(['start'], { env: FREE_PORTS });
  expect(healthOf(hub.adminPort)).toEqual({ status: 0, stdout: '' });
  // The client port knows no such path.
  expect(healthOf(hub.port)).toMatchObject({ status: 1, stdout: expect.stringContaining('404') });
  hub.pause();
  expect(healthOf(hub.adminPort)).toMatchObject({ status: 1, stdout: expect.stringContaining('does not answer') });
  hub.resume();
  await hub.kill('SIGKILL');
  expect(healthOf(hub.adminPort)).toMatchObject({ status: 1, stdout: expect.stringContaining('does not answer') });
});

/** The folders of a TypeScript project and of all projects that it references. */
function projectsOf(folder: string, found: Set<string>): Set<string> {
  if (found.has(folder)) return found;
  found.add(folder);
  const config: unknown = JSON.parse(readFileSync(join(ROOT, folder, 'tsconfig.json'), 'utf8'));
  for (const { path } of listAt(config, 'references')) projectsOf(join(folder, String(path)), found);
  return found;
}

/** The folders of a workspace and of all workspaces that it depends on or bundles. */
function workspacesOf(name: string, lock: unknown, found: Set<string>): Set<string> {
  const folder = at(lock, 'packages', `node_modules/${name}`, 'resolved');
  if (typeof folder !== 'string' || found.has(folder)) return found;
  found.add(folder);
  const kinds = ['dependencies', 'devDependencies'];
  for (const dependency of kinds.flatMap(kind => Object.keys(at(lock, 'packages', folder, kind) ?? {}))) {
    if (at(lock, 'packages', `node_modules/${dependency}`, 'link') === true) workspacesOf(dependency, lock, found);
  }
  return found;
}
