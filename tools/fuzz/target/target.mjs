/** Starts and observes the fuzzed cluster: Redis, presence and one edge as processes, or the embedded one. */
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { lineOf, startNode, stop } from '../../bench/machine/processes.mjs';
import { findRedis, startRedis } from '../../bench/machine/redis.mjs';
import { collectGarbage, inspectorUrlIn } from './inspector.mjs';
import { notReady } from './metrics.mjs';
import { environment, NODE_ID } from './settings.mjs';

const MAIN = fileURLToPath(new URL('../../../apps/hubbub/dist/cli/main.js', import.meta.url));
const READY_WITHIN_MS = 30_000;
const LOOK_AGAIN_MS = 50;
const PREFIX = 'fuzz';

/**
 * @typedef {object} Part one process of Hubbub
 * @property {string} name @property {number} pid @property {number} adminPort
 * @property {{ level: string, event?: string, line: string }[]} troubles log lines of level error and fatal, and other output
 * @property {Record<string, number>} warnings log lines of level warn, by event
 * @property {() => string | undefined} exit returns how it ended, or undefined while it runs
 * @property {() => Promise<number>} collectGarbage returns the bytes of live objects
 * @property {() => number | undefined} openFiles
 */

/**
 * @param {{ embedded?: boolean, redisUrl?: string, prefix?: string }} options `redisUrl`: an existing Redis, used under the prefix
 * @returns {Promise<{ edge: Part & { port: number }, parts: Part[], redis?: { url: string, prefix: string, own: boolean, version: string, pids: number[] }, close: () => Promise<void> }>}
 */
export async function startTarget({ embedded = false, redisUrl, prefix = PREFIX }) {
  if (embedded) {
    const edge = await startPart('start', environment({ prefix }));
    return { edge, parts: [edge], close: () => edge.close() };
  }
  const server = redisUrl === undefined ? findRedis() : { version: 'given' };
  const started = redisUrl === undefined ? await startRedis(server.command) : { url: redisUrl, pids: [], close() {} };
  const env = environment({ redisUrl: started.url, prefix });
  // Presence first: at the first start of a cluster it makes every existing edge start again.
  const presence = await startPart('presence', { ...env, HUBBUB_NODE_ID: 'presence' }, 'partitions_claimed');
  const edge = await startPart('edge', { ...env, HUBBUB_NODE_ID: NODE_ID });
  const redis = { url: started.url, prefix, own: redisUrl === undefined, version: server.version, pids: started.pids };
  return {
    edge,
    parts: [edge, presence],
    redis,
    async close() {
      await Promise.all([edge.close(), presence.close()]);
      await started.close();
    },
  };
}

/** @param {string} [readyEvent] a log line to wait for, beside readiness */
async function startPart(command, env, readyEvent) {
  const child = startNode(['--inspect=127.0.0.1:0', MAIN, command], { name: command, env });
  const troubles = [];
  const warnings = {};
  let inspector;
  let exit;
  let closing = false;
  child.once('exit', (code, signal) => {
    if (!closing) exit = `ended with ${code ?? signal}: ${child.lastWords}`;
  });
  child.stderr.on('data', text => {
    inspector ??= inspectorUrlIn(text);
    // `hubbub start` prints its greeting there.
    if (command === 'start' && !/error|fatal|exception/i.test(text)) return;
    for (const line of text.split('\n')) {
      if (line !== '' && !/Debugger|inspector/.test(line)) troubles.push({ level: 'stderr', line });
    }
  });
  eachLine(child.stdout, line => {
    const entry = line.startsWith('{') ? JSON.parse(line) : { level: 'stdout' };
    if (entry.level === 'warn') warnings[entry.event] = (warnings[entry.event] ?? 0) + 1;
    else if (entry.level !== 'info')
      troubles.push({ level: entry.level, event: entry.event, line: line.slice(0, 2000) });
  });
  const [{ port, adminPort }] = await Promise.all([
    lineOf(child, listeningLine, { name: command, withinMs: READY_WITHIN_MS }),
    readyEvent &&
      lineOf(child, line => line.includes(`"${readyEvent}"`) || undefined, {
        name: command,
        withinMs: READY_WITHIN_MS,
      }),
  ]);
  await ready(adminPort, command);
  return {
    name: command,
    pid: child.pid,
    port,
    adminPort,
    troubles,
    warnings,
    exit: () => exit,
    collectGarbage: () => collectGarbage(inspector),
    openFiles: () => openFiles(child.pid),
    async close() {
      closing = true;
      child.kill('SIGKILL'); // A drain would only take time.
      await stop(child);
    },
  };
}

function listeningLine(line) {
  if (!line.startsWith('{')) return undefined;
  const entry = JSON.parse(line);
  return entry.event === 'listening' ? entry : undefined;
}

function eachLine(stream, read) {
  let rest = '';
  stream.on('data', text => {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    for (const line of lines) read(line);
  });
}

async function ready(adminPort, name) {
  const deadline = performance.now() + READY_WITHIN_MS;
  while ((await notReady(adminPort)) !== undefined) {
    if (performance.now() > deadline) throw new Error(`${name} was not ready within ${READY_WITHIN_MS} ms.`);
    await sleep(LOOK_AGAIN_MS);
  }
}

function openFiles(pid) {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return undefined; // Without /proc the report omits it.
  }
}
