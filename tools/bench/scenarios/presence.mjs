/**
 * Measures presence: joins a second, bytes and commands of Redis, and the time until the users of a killed edge leave.
 * Real reporters in their own processes replace the edges, without sockets, so that only presence is measured.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { decodeEnvelope } from '@hubbub/protocol';
import { eventually, FREE_PORTS, findRedis, startHubbub, startRedis, Worker } from '@hubbub/tools/kit';
import { Redis } from 'ioredis';
import { ownCommand } from '../../command-line.mjs';
import { describeMachine } from '../../report/machine.mjs';
import { quietMachine } from '../machine/quiet.mjs';
import { bytesByKind, commandCalls, reportKeys, rosterUsers, usedBytes } from '../machine/redis-figures.mjs';
import { cpuSeconds, machineSeconds, residentBytes } from '../machine/usage.mjs';
import { presenceSummary } from '../report/presence-summary.mjs';

const REPORTER = fileURLToPath(new URL('presence-reporter-process.mjs', import.meta.url));
const PREFIX = 'bench';
const FULL = { sessions: 100_000, rooms: 1000, edges: 4, idleSeconds: 30 };
const QUICK = { sessions: 4000, rooms: 100, edges: 4, idleSeconds: 5 };
const PATIENCE_MS = 20_000;
const STEP_LIMIT_MS = 180_000;

export const presence = {
  name: 'presence',
  description: 'many joins over many rooms, then idleness, then the kill of edges; no relays are compared',

  full: FULL,
  quick: QUICK,

  /** @param {typeof FULL} settings */
  async run(settings) {
    const engine = 'none: reporters without sockets';
    const machine = describeMachine({ redis: findRedis().version, engine });
    const redis = await startRedis();
    const figures = await measure(settings, redis);
    await redis.dispose();
    const { name: scenario, description } = presence;
    const run = { scenario, description, command: ownCommand('npm run bench'), settings, machine, figures };
    console.log(`\n${presenceSummary(run)}\n`);
    if (figures.troubles.length > 0) process.exitCode = 1;
    return run;
  },

  summarize: presenceSummary,
};

async function measure({ sessions, rooms, edges: edgeCount, idleSeconds }, { url, pid }) {
  const redis = new Redis(url);
  const presenceProcess = await startPresence(url);
  const perEdge = Math.floor(sessions / edgeCount);
  const edges = await Promise.all(
    Array.from({ length: edgeCount }, (_, index) =>
      startReporter({
        redisUrl: url,
        prefix: PREFIX,
        nodeId: `edge-${index + 1}`,
        first: index * perEdge,
        sessions: perEdge,
        rooms,
      }),
    ),
  );
  const all = perEdge * edgeCount;
  const troubles = [];
  const ours = [pid, presenceProcess.pid, process.pid, ...edges.map(edge => edge.pid)];

  await quietMachine(PATIENCE_MS);
  const bytesBefore = await usedBytes(redis);
  const memoryBefore = residentBytes(presenceProcess.pid);
  const othersBefore = machineSeconds() - cpuSeconds(ours);
  const presenceBefore = cpuSeconds([presenceProcess.pid]);
  console.log(`${all} joins over ${rooms} rooms from ${edgeCount} edges …`);
  const beganAtMs = Date.now();
  const answeredAtMs = Math.max(...(await Promise.all(edges.map(edge => edge.order('open', {}, STEP_LIMIT_MS)))));
  const joinSeconds = (answeredAtMs - beganAtMs) / 1000;
  const presenceCpu = (cpuSeconds([presenceProcess.pid]) - presenceBefore) / joinSeconds;
  const othersCpu = (machineSeconds() - cpuSeconds(ours) - othersBefore) / joinSeconds;
  const inRosters = await rosterUsers(redis, PREFIX);
  if (inRosters !== all) troubles.push(`the rosters have ${inRosters} users, not ${all}`);
  console.log(`  ${Math.round(all / joinSeconds)} joins/s, all rosters complete after ${joinSeconds.toFixed(2)} s`);

  // Presence trims applied reports about a second later.
  const isTrimmed = async () => {
    const lengths = await Promise.all(reportKeys(PREFIX).map(key => redis.xlen(key)));
    return lengths.every(length => length === 0);
  };
  await eventually(isTrimmed, { withinMs: STEP_LIMIT_MS, describe: 'the log is trimmed' });
  const bytesPerSession = ((await usedBytes(redis)) - bytesBefore) / all;
  const kinds = await bytesByKind(redis, PREFIX);
  const bytesPerSessionByKind = Object.fromEntries(Object.entries(kinds).map(([kind, bytes]) => [kind, bytes / all]));
  const presenceBytesPerSession = (residentBytes(presenceProcess.pid) - memoryBefore) / all;

  console.log(`${idleSeconds} s of idleness …`);
  await sleep(2000);
  await redis.config('RESETSTAT');
  await sleep(idleSeconds * 1000);
  const calls = await commandCalls(redis);
  const idleCommandsPerSecond = Object.values(calls).reduce((sum, count) => sum + count, 0) / idleSeconds;
  console.log(`  ${idleCommandsPerSecond.toFixed(1)} commands/s`);

  const kills = [];
  for (const edge of edges.slice(0, -1)) {
    troubles.push(...(await edge.order('troubles')));
    const kill = await killAndListen(url, edge, perEdge);
    kills.push(kill);
    if (kill.twice > 0) troubles.push(`${kill.twice} users left twice`);
    console.log(`  edge killed: the last of ${perEdge} user_left after ${kill.lastSeconds.toFixed(2)} s`);
  }
  const left = await rosterUsers(redis, PREFIX);
  if (left !== perEdge) troubles.push(`after the kills the rosters have ${left} users, not ${perEdge}`);

  troubles.push(...(await edges.at(-1).order('troubles')));
  await edges.at(-1).close();
  await presenceProcess.terminate();
  redis.disconnect();
  return {
    sessions: all,
    joinsPerSecond: all / joinSeconds,
    rostersCompleteSeconds: joinSeconds,
    presenceCpu,
    othersCpu,
    redisBytesPerSession: bytesPerSession,
    redisBytesPerSessionByKind: bytesPerSessionByKind,
    presenceBytesPerSession,
    idleCommandsPerSecond,
    idleCalls: calls,
    kills,
    troubles,
  };
}

/** Kills the edge with SIGKILL and waits until each of its users has left, once. */
async function killAndListen(url, edge, users) {
  const ear = new Redis(url);
  const seen = new Set();
  let twice = 0;
  let firstAtMs;
  let lastAtMs;
  ear.on('pmessageBuffer', (_pattern, _channel, bytes) => {
    const body = decodeEnvelope(bytes)?.body;
    const frame = body && JSON.parse(Buffer.from(body).toString());
    if (frame?.type !== 'user_left') return;
    if (seen.has(frame.sender.id)) twice++;
    seen.add(frame.sender.id);
    firstAtMs ??= Date.now();
    lastAtMs = Date.now();
  });
  await ear.psubscribe(`${PREFIX}:room:*`);
  const killedAtMs = Date.now();
  await edge.kill();
  const describe = 'every user of the killed edge has left';
  await eventually(() => seen.size === users, { withinMs: STEP_LIMIT_MS, describe });
  await sleep(1000); // A second `user_left` of a user would arrive now.
  ear.disconnect();
  return { firstSeconds: (firstAtMs - killedAtMs) / 1000, lastSeconds: (lastAtMs - killedAtMs) / 1000, twice };
}

/** @param {string} redisUrl @param {readonly string[]} [nodeArgs] */
export function startPresence(redisUrl, nodeArgs) {
  return startHubbub(['presence'], {
    nodeArgs,
    env: { ...FREE_PORTS, HUBBUB_REDIS_URL: redisUrl, HUBBUB_REDIS_PREFIX: PREFIX },
    // Before the edges: at the first start of a cluster presence makes every existing edge start again.
    readyWhen: started => started.orExit(started.output.waitForLog({ event: 'partitions_claimed' })),
  });
}

/** Starts an edge without sockets. @param {{ redisUrl: string, prefix: string, nodeId: string, first: number, sessions: number, rooms: number }} options */
export async function startReporter(options) {
  const edge = Worker.start({ name: options.nodeId, file: REPORTER, args: [JSON.stringify(options)] });
  await edge.order('ready');
  return edge;
}
