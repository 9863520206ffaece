/** The deployment guide and the units of systemd: consistent with the settings and with the files they name. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '@hubbub/config';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { secrets, secretsOf } from './support/compose.js';
import { deployFile } from './support/proxy.js';
import { unknownSettingsIn } from './support/settings.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const guide = readFileSync(join(ROOT, 'docs/deployment.md'), 'utf8');
const production = loadConfig({ NODE_ENV: 'production', HUBBUB_JWT_SECRET: 'Vn0yX2m4R1tKp8sQ3wEz6uHa9cJf5dLb' });

describe('the guide', () => {
  test('names settings that exist', () => {
    expect(unknownSettingsIn(guide)).toEqual([]);
  });

  test.each([
    ['HUBBUB_DRAIN_DELAY_MS', production.drainDelayMs],
    ['HUBBUB_DRAIN_WINDOW_MS', production.drainWindowMs],
    ['HUBBUB_SHUTDOWN_TIMEOUT_MS', production.shutdownTimeoutMs],
  ])('documents the default of %s', (name, valueMs) => {
    expect(guide).toContain(`| \`${name}\` | ${valueMs / 1000} s |`);
  });
});

test('the guide documents the times in the files', () => {
  const notice: ReadonlyArray<readonly [string, RegExp, string]> = [
    ['stop_grace_period', /stop_grace_period: (\d+)s/, '../docker-compose.yml'],
    ['TimeoutStopSec', /TimeoutStopSec=(\d+)/, 'systemd/hubbub-edge.service'],
  ];
  for (const [name, pattern, file] of notice) {
    const [, seconds] = pattern.exec(readFileSync(deployFile(file), 'utf8')) ?? [];
    expect(guide).toContain(`\`${name}\` ${seconds} s`);
  }
  const { config } = parse(readFileSync(deployFile('helm/hubbub/values.yaml'), 'utf8'));
  const { drainWindowMs, shutdownTimeoutMs } = config as { drainWindowMs: number; shutdownTimeoutMs: number };
  // The chart adds 15 s.
  expect(guide).toContain(`\`terminationGracePeriodSeconds\` ${shutdownTimeoutMs / 1000 + 15} s`);
  expect(guide).toMatch(new RegExp(`HUBBUB_DRAIN_WINDOW_MS.*\\| ${drainWindowMs / 1000} s \\|\\n`));
  expect(guide).toMatch(new RegExp(`HUBBUB_SHUTDOWN_TIMEOUT_MS.*\\| ${shutdownTimeoutMs / 1000} s \\|\\n`));
});

describe.each(readdirSync(deployFile('systemd')))('%s', file => {
  const unit = readFileSync(deployFile(`systemd/${file}`), 'utf8');
  const value = (key: string): string | undefined => new RegExp(`^${key}=(.*)$`, 'm').exec(unit)?.[1];
  /** With --workers the parent waits this much longer for its workers. */
  const PATIENCE_MS = 3000;

  test('leaves enough time to stop', () => {
    expect(1000 * Number(value('TimeoutStopSec'))).toBeGreaterThan(production.shutdownTimeoutMs + PATIENCE_MS);
  });

  test('gives the process its own secrets alone, as files', () => {
    const role = file.replace(/^hubbub-|\.service$/g, '');
    const credentials = [...unit.matchAll(/^LoadCredential=(.*):(.*)$/gm)].map(([, id = '', path = '']) => {
      expect(path).toBe(`/etc/hubbub/secrets/${id}`);
      return id;
    });
    expect(credentials).toEqual(secretsOf(role === 'edge' ? 'edge-1' : role));
    const variables = [...unit.matchAll(/^Environment=(\w+)=(.*)$/gm)];
    const settings: Record<string, string> = Object.fromEntries(
      variables.map(([, name = '', text = '']) => [name, text.replace('%d', secrets)]),
    );
    const config = loadConfig(settings, { verifiesTokens: role === 'edge' });
    expect(config.redisUrl).toContain(`//hubbub-${role}:`);
    const files = Object.values(settings).filter(text => text.startsWith(secrets));
    expect(files).toEqual(credentials.map(id => join(secrets, id)));
  });

  test('names settings that exist, and a command', () => {
    expect(unknownSettingsIn(unit)).toEqual([]);
    const [, command = ''] = /bin\/hubbub (\S+)/.exec(value('ExecStart') ?? '') ?? [];
    expect(existsSync(join(ROOT, 'apps/hubbub/src/commands', `${command}.ts`))).toBe(true);
  });
});
