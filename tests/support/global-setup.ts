/** Once per test run, before any worker: finds Redis and hands it to the workers; at the end ends forgotten children. */
import type { TestProject } from 'vitest/node';
import { keepChildren } from './children.js';
import { provisionRedis, type RedisSource } from './provision.js';

declare module 'vitest' {
  interface ProvidedContext {
    redisSource: RedisSource;
  }
}

export default async function setup(project: TestProject): Promise<() => void> {
  project.provide('redisSource', await redisOrNoRun());
  return keepChildren();
}

/** Whoever lacks Redis needs the one line that says what to install, and no stack trace around it. */
async function redisOrNoRun(): Promise<RedisSource> {
  try {
    return await provisionRedis();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}
