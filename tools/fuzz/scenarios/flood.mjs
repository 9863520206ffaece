/**
 * Sends bad inputs of every kind simultaneously to one edge with two bystanders.
 * The bystanders must lose nothing, memory must not grow, and the edge must count every refusal.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { readMetrics, signToken } from '@hubbub/tools/kit';
import { ownCommand } from '../../command-line.mjs';
import { describeMachine } from '../../report/machine.mjs';
import { whole } from '../../report/tables.mjs';
import { bystanderProblems, startBystanders } from '../bystanders/bystanders.mjs';
import { KINDS } from '../inputs/catalogue.mjs';
import { runConnectionLane } from '../lanes/connection-lane.mjs';
import { Plan } from '../lanes/plan.mjs';
import { runRedisLane } from '../lanes/redis-lane.mjs';
import { runSessionLane } from '../lanes/session-lane.mjs';
import { measureCosts } from '../report/costs.mjs';
import { heldBy, memoryVerdict, WARM_UP } from '../report/memory.mjs';
import { Progress } from '../report/progress.mjs';
import { floodTables } from '../report/tables.mjs';
import { countingProblems, Tally } from '../report/tally.mjs';
import { Waits } from '../report/waits.mjs';
import { SECRET, startTarget } from '../target/target.mjs';
import { startWatch } from '../target/watch.mjs';

/** Concurrent connections or sessions, by lane. */
const WIDTH = { connection: 64, slow: 160, api: 16, json: 6, msgpack: 6, pusher: 6 };
/** The same for repetitions, which find the inputs that made a bystander wait. */
const FEW = { connection: 2, slow: 16, api: 2, json: 1, msgpack: 1, pusher: 1 };
const BYSTANDING_SESSIONS = 3;
const SETTLE_WITHIN_MS = 30_000;
const LOOK_AGAIN_MS = 250;
/** Inputs after the warm-up; fewer allow no verdict on memory, however fast the machine. */
const MEASURED_INPUTS_MIN = 20_000;
/** Allowed growth of open files: connections to Redis and of the measurement. */
const FILES_MORE_MAX = 20;

/** @param {object} options of run.mjs @returns {Promise<import('../../report/results.mjs').Run & { problems: string[] }>} */
export async function flood(options) {
  const { seed, inputs, only, from } = options;
  const lanes = [
    'connection',
    'slow',
    'json',
    'msgpack',
    'pusher',
    ...(options.target.embedded ? [] : ['api', 'redis']),
  ];
  console.log(`seed ${seed}: ${only === undefined ? `${whole(inputs)} inputs` : `input ${only}`}`);
  const plan = new Plan({ seed, inputs, lanes, only, from });
  const target = await startTarget(options.target);
  const { edge, api, parts, redis } = target;
  const bystanders = await startBystanders(edge.port);
  const waits = await Waits.begin(plan, bystanders);
  const tally = new Tally();
  const before = await readMetrics(edge);
  const filesBefore = edge.openFiles();
  const watch = startWatch(parts, () => plan.doneInputs);
  const progress = new Progress(plan, { watch, tally, bystanders, edge });
  const heldAtWarmUp = heldAfterWarmUp(plan, parts);
  const throwAll = async (inputsPlan, width) => {
    const common = { port: edge.port, seed, tally };
    await Promise.all([
      runConnectionLane(inputsPlan, { ...common, lane: 'connection', width: width.connection }),
      runConnectionLane(inputsPlan, { ...common, lane: 'slow', width: width.slow }),
      runSessionLane(inputsPlan, { ...common, lane: 'json', width: width.json }),
      runSessionLane(inputsPlan, { ...common, lane: 'msgpack', width: width.msgpack }),
      runSessionLane(inputsPlan, { ...common, lane: 'pusher', width: width.pusher }),
      ...(api === undefined
        ? []
        : [runConnectionLane(inputsPlan, { ...common, lane: 'api', port: api.port, width: width.api })]),
      ...(redis === undefined ? [] : [runRedisLane(inputsPlan, { redis, tally })]),
    ]);
  };
  const beganAtMs = performance.now();
  const end = setInterval(() => {
    if (watch.dead() !== undefined || performance.now() - beganAtMs > options.minutes * 60_000) plan.stopped = true;
  }, LOOK_AGAIN_MS);

  await throwAll(plan, WIDTH);
  clearInterval(end);
  const seconds = (performance.now() - beganAtMs) / 1000;
  progress.stop();
  const waited =
    watch.dead() === undefined
      ? await waits.end(range => throwAll(new Plan({ seed, inputs: range.to, from: range.from, lanes }), FEW))
      : { problems: [] };
  const { costs, problems: costProblems } =
    watch.dead() === undefined && plan.doneInputs >= MEASURED_INPUTS_MIN
      ? await measureCosts({
          plan,
          edge,
          api,
          redis,
          token: signToken({ user: 'steady', secret: SECRET }),
          throwAll: of => throwAll(of, FEW),
        })
      : { costs: [], problems: [] };
  const heard = await bystanders.hush();
  const problems = [...bystanderProblems(heard), ...waited.problems, ...costProblems];
  const processProblems = await watch.stop();
  problems.push(...processProblems);

  const memory = {};
  if (watch.dead() === undefined) {
    problems.push(...(await settled(edge, filesBefore)));
    const after = await readMetrics(edge);
    problems.push(...countingProblems(before, after, tally));
    const warm = await heldAtWarmUp;
    for (const part of parts) {
      const samples = watch.samples[part.name];
      const end = await heldBy(part);
      const peakBytes = Math.max(...samples.map(({ rssBytes }) => rssBytes));
      memory[part.name] = { startBytes: samples[0]?.rssBytes, peakBytes, warm: warm?.[part.name], end };
      const { verdict, words } = memoryVerdict({
        warm: warm?.[part.name],
        end,
        count: plan.doneInputs - (warm?.inputs ?? 0),
        countMin: MEASURED_INPUTS_MIN,
      });
      Object.assign(memory[part.name], { verdict, words });
      if (verdict === 'grows') problems.push(`${part.name} grows: ${words}`);
    }
  }
  problems.push(...tally.violations.map(({ input, kind, problem }) => `input ${input} (${kind}): ${problem}`));
  if (tally.violationCount > tally.violations.length)
    problems.push(`and ${tally.violationCount - tally.violations.length} more inputs`);

  const what = options.target.embedded
    ? '`hubbub start` without Redis'
    : '`hubbub edge`, `hubbub presence` and `hubbub api`';
  const run = {
    scenario: 'fuzz-flood',
    description: `Bad inputs of every kind at ${what}`,
    command: ownCommand('npm run fuzz'),
    machine: describeMachine({ redis: redis?.version ?? 'none' }),
    seed,
    inputs: plan.doneInputs,
    asked: only === undefined ? inputs - from : 1,
    seconds,
    kinds: KINDS.map(({ name }, kind) => ({ name, inputs: plan.done[kind] })),
    bystanders: heard,
    waits: waited,
    costs,
    outcomes: tally.outcomes,
    refusedFrames: tally.frames,
    memory,
    warnings: Object.fromEntries(parts.map(({ name, warnings }) => [name, warnings])),
    problems,
  };
  console.log(`\n${floodTables(run)}`);
  await bystanders.close();
  await target.close();
  return run;
}

/** Reads memory after the warm-up and a full collection, with the number of inputs until then. */
async function heldAfterWarmUp(plan, parts) {
  while (plan.doneInputs < plan.inputs * WARM_UP) {
    if (plan.stopped) return undefined;
    await sleep(LOOK_AGAIN_MS);
  }
  try {
    const held = await Promise.all(parts.map(async part => [part.name, await heldBy(part)]));
    return { inputs: plan.doneInputs, ...Object.fromEntries(held) };
  } catch {
    return undefined; // The process has ended; the watch reports that.
  }
}

/** Waits until the sessions and files of all inputs are closed; returns what remains. */
async function settled(edge, filesBefore) {
  const deadline = performance.now() + SETTLE_WITHIN_MS;
  for (;;) {
    const sessions = (await readMetrics(edge)).get('hubbub_edge_sessions');
    const files = edge.openFiles();
    const problems = [];
    if (sessions !== BYSTANDING_SESSIONS) problems.push(`${sessions} sessions are left, not ${BYSTANDING_SESSIONS}`);
    if (files > filesBefore + FILES_MORE_MAX) problems.push(`${files} files are open, ${filesBefore} at the start`);
    if (problems.length === 0 || performance.now() > deadline) return problems;
    await sleep(LOOK_AGAIN_MS);
  }
}
