/**
 * Loads the native WebSocket engine: the newest build of uWebSockets.js that works on this machine. The only file that
 * names the package.
 */

import type * as uws from 'uWebSockets.js';
import { createRequire } from 'node:module';
import { setNativeVariable } from '@hubbub/config';

/** The constant is there at run time; the package declares only its enum. */
export type EngineModule = typeof uws & { readonly LIBUS_LISTEN_EXCLUSIVE_PORT: uws.ListenOptions };
export type { HttpRequest, HttpResponse, TemplatedApp, us_listen_socket, us_socket_context_t } from 'uWebSockets.js';
export type EngineSocket<UserData> = uws.WebSocket<UserData>;

export interface Engine {
  readonly module: EngineModule;
  /** Which build was loaded, for the log, the metrics and `hubbub doctor`. */
  readonly build: string;
}

/** Newest first: for Node 22 and up with glibc 2.38 and up; then for Node 18 to 23 with glibc 2.27 and up. */
const PACKAGES = ['uWebSockets.js', 'uWebSockets.js-compat'] as const;

/**
 * @param maxHeaderBytes of a request; the first load in a process decides. Unset: the engine's own, 4096.
 * @throws {Error} naming the one command that installs an engine, when none loads here.
 */
export function loadEngine(maxHeaderBytes?: number): Engine {
  // Read when the native code is loaded, and only from there.
  if (maxHeaderBytes !== undefined) setNativeVariable('UWS_HTTP_MAX_HEADERS_SIZE', String(maxHeaderBytes));
  const failures: string[] = [];
  for (const name of PACKAGES) {
    try {
      return loadPackage(name);
    } catch (error) {
      failures.push(`${name}: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}`);
    }
  }
  const platform = `${process.platform} ${process.arch}, Node ${process.versions.node}`;
  throw new Error(
    `No WebSocket engine loads on ${platform}. Install the official build for this platform with:\n` +
      '  npm install --no-save uWebSockets.js@uNetworking/uWebSockets.js#v20.51.0\n' +
      `Attempts:\n  ${failures.join('\n  ')}`,
  );
}

function loadPackage(name: (typeof PACKAGES)[number]): Engine {
  const require = createRequire(import.meta.url);
  const entry = require.resolve(name);
  const version = matchingVersion(entry);
  return { module: require(name) as EngineModule, build: `${name}@${version}` };
}

/**
 * The version of the package at `entry`. A wrapper package finds its binary by platform and Node version. If npm hoisted
 * another version's binary, it would load that one: JavaScript and binary of two versions. That is refused.
 */
function matchingVersion(entry: string): string {
  const require = createRequire(entry);
  const manifest = require('./package.json') as { version: string; optionalDependencies?: Record<string, string> };
  const major = process.versions.node.split('.')[0];
  const binary = `@uwsjs/${process.platform}-${process.arch}-${major}`;
  if (manifest.optionalDependencies === undefined) return manifest.version; // An official build carries its binaries.
  if (!(binary in manifest.optionalDependencies)) throw new Error(`has no build for ${binary}`);
  const found = require(`${binary}/package.json`) as { version: string };
  if (found.version !== manifest.version) throw new Error(`${binary} is ${found.version}, not ${manifest.version}`);
  return manifest.version;
}
