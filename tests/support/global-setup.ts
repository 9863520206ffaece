/** Runs once per test run, before any worker: finds what the workers need, and finally ends forgotten children. */

import { keepChildren } from '@hubbub/tools/kit';
import type { TestProject } from 'vitest/node';
import { buildGoPrograms } from './go-program.js';
import { provisionRedis, type RedisSource } from './provision.js';

declare module 'vitest' {
  interface ProvidedContext {
    redisSource: RedisSource;
  }
}

export default async function setup(project: TestProject): Promise<() => void> {
  project.provide('redisSource', await redisOrNoRun());
  // Set by `npm test` for the whole suite.
  if (process.env.HUBBUB_TEST_ALL) await buildGoPrograms();
  return keepChildren();
}

/** Without Redis, developers need the one line with the program to install, without a stack trace. */
async function redisOrNoRun(): Promise<RedisSource> {
  try {
    return await provisionRedis();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}
