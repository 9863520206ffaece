/**
 * Compares the cost of each kind of input with a budget: processor time of the edge and the HTTP API, and commands at Redis.
 * The unit is a good session (connect, welcome, close). The same run measures it, so the machine's speed does not matter.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { readMetrics } from '@hubbub/tools/kit';
import { Redis } from 'ioredis';
import { KINDS } from '../inputs/catalogue.mjs';
import { openSession } from '../wire/connections.mjs';

/** Largest processor time of one input, in good sessions. */
const PROCESSOR_MAX = 10;
/**
 * Largest number of Redis commands for one input, in good sessions; commands within scripts count. A dropped session costs
 * 3 to 11: presence batches more on some machines than on others. An input of 60 publishes would cost 29.
 */
const REDIS_MAX = 20;
/** Inputs of each kind; slow ones take seconds each. */
const INPUTS = 200;
const SLOW_INPUTS = 32;
const GOOD_SESSIONS = 200;
/** Measurements of a kind above its budget. A violation is above it in all of them. */
const TRIES = 3;
const BACKGROUND_MS = 2000;
/** For presence, which applies reports in batches. */
const SETTLE_MS = 200;

/**
 * @typedef {{ port: number, adminUrl: string }} Part
 * @typedef {object} Cost
 * @property {string} name of the kind @property {number} processor @property {number} redis both in good sessions
 */

/**
 * @param {{ plan: import('../lanes/plan.mjs').Plan, edge: Part, api?: Part, redis?: { url: string }, token: string,
 *   throwAll: (plan: object) => Promise<void> }} parts
 * @returns {Promise<{ costs: Cost[], problems: string[] }>}
 */
export async function measureCosts({ plan, edge, api, redis, token, throwAll }) {
  const commands = redis && new Redis(redis.url);
  const measured = api === undefined ? [edge] : [edge, api];
  const look = async () => ({
    atMs: performance.now(),
    cpuMs: 1000 * (await Promise.all(measured.map(cpuSeconds))).reduce((sum, seconds) => sum + seconds),
    commands:
      commands === undefined ? 0 : Number(/total_commands_processed:(\d+)/.exec(await commands.info('stats'))?.[1]),
  });
  const spent = async work => {
    const before = await look();
    await work();
    const after = await look();
    return {
      ms: after.atMs - before.atMs,
      cpuMs: after.cpuMs - before.cpuMs,
      commands: after.commands - before.commands,
    };
  };
  const idle = await spent(() => sleep(BACKGROUND_MS));
  /** Subtracts the idle cost of the processes. */
  const spentOnly = async work => {
    const { ms, cpuMs, commands: count } = await spent(work);
    return { cpuMs: cpuMs - (idle.cpuMs * ms) / idle.ms, commands: count - (idle.commands * ms) / idle.ms };
  };
  const good = await spentOnly(async () => {
    for (let i = 0; i < GOOD_SESSIONS; i++) await goodSession(edge.port, token);
    await sleep(SETTLE_MS);
  });
  const costOf = async kind => {
    const count = KINDS[kind].lane === 'slow' ? SLOW_INPUTS : INPUTS;
    const one = await spentOnly(async () => {
      await throwAll(plan.ofKind(kind, count));
      await sleep(SETTLE_MS);
    });
    const inSessions = what => one[what] / count / (good[what] / GOOD_SESSIONS);
    return { processor: inSessions('cpuMs'), redis: redis === undefined ? 0 : inSessions('commands') };
  };
  const costs = [];
  for (const [kind, { name, lane }] of KINDS.entries()) {
    if ((lane === 'redis' || lane === 'api') && redis === undefined) continue;
    let cost = await costOf(kind);
    for (let i = 1; i < TRIES && isAbove(cost); i++) cost = await costOf(kind);
    costs.push({ name, ...cost });
  }
  commands?.disconnect();
  const problems = costs
    .filter(isAbove)
    .map(
      ({ name, processor, redis }) =>
        `an input of "${name}" costs ${processor.toFixed(1)} good sessions of processor time (at most ${PROCESSOR_MAX}) and ${redis.toFixed(1)} of Redis commands (at most ${REDIS_MAX})`,
    );
  return { costs, problems };
}

async function cpuSeconds(part) {
  return (await readMetrics(part)).get('process_cpu_seconds_total');
}

function isAbove({ processor, redis }) {
  return processor > PROCESSOR_MAX || redis > REDIS_MAX;
}

/** Connects, waits for the welcome, and closes. */
function goodSession(port, token) {
  return new Promise((resolve, reject) => {
    const session = openSession({
      port,
      token,
      encoding: 'json',
      onEnd: why => reject(new Error(`a good session ended: ${why}`)),
      onFrame() {
        session.close();
        resolve();
      },
    });
  });
}
