/** The commands of the workflows: scripts that exist, and the message exchange that the Compose job requires. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startEmbeddedHub } from '@hubbub/cli/embedded';
import { signToken, TEST_JWT_SECRET } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { withNamespaces } from '../presence/config-file.js';
import { cleanup } from '../support/cleanup.js';
import { ROOT } from './support/compose.js';

const WORKFLOWS = join(ROOT, '.github/workflows');

/** Every `run` of every workflow. */
function listCommands(): string[] {
  return readdirSync(WORKFLOWS).flatMap(file => {
    const { jobs } = parse(readFileSync(join(WORKFLOWS, file), 'utf8')) as {
      jobs: Record<string, { steps: { run?: string }[] }>;
    };
    return Object.values(jobs).flatMap(({ steps }) => steps.flatMap(({ run }) => run ?? []));
  });
}

test('the workflows run npm scripts and files that exist, and CONTRIBUTING.md lists each command', () => {
  const commands = listCommands();
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const contributing = readFileSync(join(ROOT, 'CONTRIBUTING.md'), 'utf8');
  for (const [, name = ''] of commands.join('\n').matchAll(/\bnpm (?:run )?(?!ci\b)([\w:]+)/g)) {
    expect(scripts).toHaveProperty([name]);
  }
  const files = commands.filter(command => /^deploy\//.test(command));
  expect(files).toHaveLength(5);
  for (const [file = '', variant] of files.map(command => command.split(' '))) {
    expect(existsSync(join(ROOT, file)), file).toBe(true);
    if (variant !== undefined) expect(existsSync(join(ROOT, `deploy/compose/${variant}.yaml`)), variant).toBe(true);
  }
  const local = commands.filter(command => /^(npm run|npm test|docker|deploy|go run)/.test(command));
  for (const command of local) expect(contributing).toContain(command);
});

test('exchange.mjs reports the message that reached the other client', async () => {
  const hub = await startEmbeddedHub({
    HUBBUB_PORT: '0',
    HUBBUB_ADMIN_PORT: '0',
    HUBBUB_LOG_LEVEL: 'warn',
    HUBBUB_JWT_SECRET: TEST_JWT_SECRET,
    ...withNamespaces({ chat: { public: true } }),
  });
  cleanup(() => hub.close());
  const tokens = [signToken({ user: 'u1', name: 'One' }), signToken({ user: 'u2', name: 'Two' })];
  const args = ['deploy/ci/exchange.mjs', `ws://127.0.0.1:${hub.port}/ws`, ...tokens];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT });
  expect(stdout).toBe('One: Hello\n');
});
