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
  const endForgottenChildren = keepChildren();
  project.provide('redisSource', await provisionRedis());
  return endForgottenChildren;
}
