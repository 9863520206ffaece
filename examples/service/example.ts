/** The parts of an example: a hub's settings, and a service. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Hubbub, TokenMint } from '@hubbub/server';
import type { FastifyInstance } from 'fastify';
import type { Documents } from '../state/documents.js';

export interface ServiceParts {
  readonly hubbub: Hubbub;
  readonly mint: TokenMint;
  readonly documents: Documents;
  /** The service's routes; the page and /config.json are there. */
  readonly http: FastifyInstance;
  /** For timers and consumers of the service's own: called, and waited for, when it ends. */
  onClose(stop: () => void | Promise<void>): void;
  /** A time of the example in milliseconds, by the name of its variable; tests make it short. */
  timeMs(name: `EXAMPLE_${string}_MS`, defaultMs: number): number;
  /** Origins of pages of other sites that may ask: `undefined` for all. */
  readonly allowedOrigins: readonly string[] | undefined;
  /** For data that other programs write to Redis, under names with `prefix`; absent without Redis. */
  readonly redis?: { readonly url: string; readonly prefix: string };
}

export interface Example {
  readonly name: string;
  /** For the page's title and the terminal. */
  readonly title: string;
  /** HUBBUB_* settings of its hub beside those of hub.yaml. `serviceUrl` is where the service listens. */
  hubVariables?(serviceUrl: string): Readonly<Record<string, string>>;
  /** Time to live of state after its last change. */
  readonly stateTtlMs: number;
  /** Adds routes and consumers. */
  start(parts: ServiceParts): Promise<void> | void;
}

/** The path of a file of an example, for code that runs from dist as well as from the sources. @throws {Error} */
export function exampleFile(name: string, file: string): string {
  for (const up of ['../', '../../']) {
    const path = fileURLToPath(new URL(`${up}${name}/${file}`, import.meta.url));
    if (existsSync(path)) return path;
  }
  throw new Error(`The example ${name} has no ${file}.`);
}

/** An HTTP answer that is not a success. */
export class HttpProblem extends Error {
  readonly statusCode: number;

  constructor(statusCode: number, message: string) {
    super(message);
    this.statusCode = statusCode;
  }
}

/** Makes an id of a name: `Über uns!` is `uber-uns`. Empty for a name without Latin letters or digits. */
export function slugOf(name: string): string {
  return name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
}
