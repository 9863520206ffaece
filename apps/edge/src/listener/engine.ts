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

/** The builds, newest first: the package, the official release in it, and the systems that it supports. */
const BUILDS = [
  { name: 'uWebSockets.js', version: '20.69.0', release: 'v20.69.0', nodes: [22, 24, 26], glibcMinor: 38 },
  { name: 'uWebSockets.js-compat', version: '20.51.4', release: 'v20.51.0', nodes: [20, 22, 23], glibcMinor: 27 },
] as const;

/** The major versions of Node that have a build. */
export const ENGINE_NODES: readonly number[] = [...new Set(BUILDS.flatMap(({ nodes }) => nodes))].sort();

/**
 * @param maxHeaderBytes of a request; the first load in a process decides. Unset: the engine's own, 4096.
 * @throws {Error} naming the command that installs an engine, when none loads here.
 */
export function loadEngine(maxHeaderBytes?: number): Engine {
  // Read when the native code is loaded, and only from there.
  if (maxHeaderBytes !== undefined) setNativeVariable('UWS_HTTP_MAX_HEADERS_SIZE', String(maxHeaderBytes));
  const failures: string[] = [];
  for (const { name } of BUILDS) {
    try {
      return loadPackage(name);
    } catch (error) {
      failures.push(`${name}: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}`);
    }
  }
  const system = thisSystem();
  throw new Error(
    `No WebSocket engine loads on ${system.platform} ${system.arch}, Node ${process.versions.node}. ` +
      `${adviseEngine(system)}\nAttempts:\n  ${failures.join('\n  ')}`,
  );
}

/** The facts that decide which build works. */
export interface EngineSystem {
  readonly platform: string;
  readonly arch: string;
  /** The major version of Node. */
  readonly node: number;
  /** Such as `2.36`, on Linux with glibc. */
  readonly glibc: string | undefined;
}

/** The advice for a system where no engine loads: the command that installs one, or a system that has one. */
export function adviseEngine({ platform, arch, node, glibc }: EngineSystem): string {
  if (platform === 'linux' && glibc === undefined) {
    return 'The engine needs glibc, which this system lacks, as Alpine does. Use Debian, Ubuntu or another system with glibc.';
  }
  const ofNode = BUILDS.filter(({ nodes }) => nodes.some(major => major === node));
  if (ofNode.length === 0) {
    return `The engine has no build for Node ${node}. Use one of these versions of Node: ${ENGINE_NODES.join(', ')}.`;
  }
  const glibcMinor = platform === 'linux' ? Number(glibc?.split('.')[1]) : Infinity;
  const build = ofNode.find(candidate => glibcMinor >= candidate.glibcMinor);
  if (build === undefined) {
    const needed = ofNode.map(candidate => `2.${candidate.glibcMinor}`).at(-1);
    return `On Node ${node} the engine needs glibc ${needed}, and this system has ${glibc}. Use Node 22, Debian 13 or Ubuntu 24.04.`;
  }
  // The registry has packages of single builds for Linux on x64; the official repository has all of them.
  const isInRegistry = platform === 'linux' && arch === 'x64';
  const wanted = isInRegistry
    ? `@uwsjs/linux-x64-${node}@${build.version}`
    : `uWebSockets.js@uNetworking/uWebSockets.js#${build.release}`;
  return `Install the build for this system with:\n  npm install --no-save ${wanted}`;
}

function thisSystem(): EngineSystem {
  const { header }: { header?: { glibcVersionRuntime?: string } } = Object(process.report.getReport());
  const { platform, arch } = process;
  return { platform, arch, node: nodeMajor(), glibc: header?.glibcVersionRuntime };
}

function nodeMajor(): number {
  return Number(process.versions.node.split('.')[0]);
}

function loadPackage(name: (typeof BUILDS)[number]['name']): Engine {
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
  const binary = `@uwsjs/${process.platform}-${process.arch}-${nodeMajor()}`;
  if (manifest.optionalDependencies === undefined) return manifest.version; // An official build carries its binaries.
  if (!(binary in manifest.optionalDependencies)) throw new Error(`has no build for ${binary}`);
  const found = require(`${binary}/package.json`) as { version: string };
  if (found.version !== manifest.version) throw new Error(`${binary} is ${found.version}, not ${manifest.version}`);
  return manifest.version;
}
