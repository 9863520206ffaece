/** The advice on a system where no engine loads. `tests/packages` follows it where the registry has the build. */
import { expect, it } from 'vitest';
import { adviseEngine, type EngineSystem, loadEngine } from '../src/listener/engine.js';

const LINUX: EngineSystem = { platform: 'linux', arch: 'x64', node: 22, glibc: '2.41' };
const OLD_GLIBC = '2.36';

it.each<[what: string, system: Partial<EngineSystem>, advice: string]>([
  ['Node 22 on a new Linux', {}, 'npm install --no-save @uwsjs/linux-x64-22@20.69.0'],
  ['Node 26 on a new Linux', { node: 26 }, 'npm install --no-save @uwsjs/linux-x64-26@20.69.0'],
  ['Node 20 on a new Linux', { node: 20 }, 'npm install --no-save @uwsjs/linux-x64-20@20.51.4'],
  ['Node 22 on an older Linux', { glibc: OLD_GLIBC }, 'npm install --no-save @uwsjs/linux-x64-22@20.51.4'],
  [
    'Node 24 on an older Linux',
    { node: 24, glibc: OLD_GLIBC },
    'needs glibc 2.38, and this system has 2.36. Use Node 22',
  ],
  [
    'Node 26 on an older Linux',
    { node: 26, glibc: OLD_GLIBC },
    'needs glibc 2.38, and this system has 2.36. Use Node 22',
  ],
  ['Linux with musl', { glibc: undefined }, 'needs glibc, which this system lacks'],
  ['Node 25', { node: 25 }, 'no build for Node 25. Use one of these versions of Node: 20, 22, 23, 24, 26'],
  ['Linux on arm64', { arch: 'arm64' }, 'npm install --no-save uWebSockets.js@uNetworking/uWebSockets.js#v20.69.0'],
  ['Node 20 on arm64', { arch: 'arm64', node: 20 }, 'uWebSockets.js@uNetworking/uWebSockets.js#v20.51.0'],
  ['macOS', { platform: 'darwin', arch: 'arm64', node: 24, glibc: undefined }, 'uWebSockets.js#v20.69.0'],
  ['Windows', { platform: 'win32', node: 20, glibc: undefined }, 'uWebSockets.js#v20.51.0'],
])('%s', (_, system, advice) => {
  expect(adviseEngine({ ...LINUX, ...system })).toContain(advice);
});

it('loads the newest build that works here', () => {
  expect(loadEngine().build).toMatch(/^uWebSockets\.js(-compat)?@20\.\d+\.\d+$/);
});
