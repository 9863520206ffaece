/** The settings of the fuzzed cluster that differ from the defaults. */
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { environmentName, settingNames } from '@hubbub/config';

export const SECRET = 'a-secret-of-the-fuzzing-of-32-bytes-and-more';
export const NODE_ID = 'fuzzed';

/**
 * Lifts limits: they would refuse most inputs, and the code behind them would stay untested.
 * Settings that this version lacks are omitted.
 */
const EXTRA = {
  maxSessionsPerUser: '0',
  maxConnectionsPerAddress: '0',
  maxHandshakesPerSecond: '0',
  maxFramesPerSecond: '0',
  maxUserFramesPerSecond: '0',
  maxAddressFramesPerSecond: '0',
  maxRefusalsPerMinute: '1000000',
};

/** Covers every path of a message: with a history, conflated, counted, and with kept members. */
const NAMESPACES = {
  log: { public: true, historySize: 50 },
  tick: { public: true, conflate: true },
  many: { public: true, presence: 'counts' },
  kept: { public: true, keepMembers: { offlineAfterMs: 200, expireAfterMs: 1000 } },
};

/** Rooms of the inputs, without the bystanders' room. */
export const VICTIM_ROOMS = ['victims', 'log:victims', 'tick:victims', 'many:victims', 'kept:victims'];
/** A room that every session stays in. Inputs that require one certain code use it. */
export const QUIET_ROOM = 'quiet';
export const BYSTANDER_ROOM = 'watch';

/** @param {{ redisUrl?: string, prefix: string }} redis @returns {NodeJS.ProcessEnv} without the caller's own settings */
export function environment({ redisUrl, prefix }) {
  const foreign = Object.entries(process.env).filter(([name]) => !/^(HUBBUB_|VITEST|NODE_ENV$)/.test(name));
  const known = new Set(settingNames());
  const extra = Object.entries(EXTRA).filter(([name]) => known.has(name));
  return {
    ...Object.fromEntries(foreign),
    HUBBUB_HOST: '127.0.0.1',
    HUBBUB_PORT: '0',
    HUBBUB_ADMIN_PORT: '0',
    HUBBUB_JWT_SECRET: SECRET,
    HUBBUB_ALLOWED_ORIGINS: 'https://allowed.example',
    HUBBUB_CONFIG: namespacesFile(),
    ...(redisUrl !== undefined && { HUBBUB_REDIS_URL: redisUrl, HUBBUB_REDIS_PREFIX: prefix }),
    ...Object.fromEntries(extra.map(([name, value]) => [environmentName(name), value])),
  };
}

function namespacesFile() {
  const path = join(tmpdir(), `hubbub-fuzz-${process.pid}.json`);
  writeFileSync(path, JSON.stringify({ namespaces: NAMESPACES }));
  return path;
}
