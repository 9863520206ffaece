/**
 * Thousands of clients connect, join a room and leave, cycle after cycle.
 * Measures what remains in the edge, in presence and in Redis. After each block of cycles the scenario waits until no
 * sessions, subscriptions or rosters are left. Then it reads the heaps after a full collection.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeText, readMetrics, signToken } from '@hubbub/tools/kit';
import { ownCommand } from '../../command-line.mjs';
import { describeMachine } from '../../report/machine.mjs';
import { MIB, whole } from '../../report/tables.mjs';
import { heldBy, memoryVerdict } from '../report/memory.mjs';
import { churnTables, slopeBytes } from '../report/tables.mjs';
import { redisFigures, SECRET, startTarget } from '../target/target.mjs';
import { startWatch } from '../target/watch.mjs';
import { openSession, sourceAddress } from '../wire/connections.mjs';

/** Cycles before the first reading: heaps, pools and compiled code reach their size. */
const WARM_UP_CYCLES = 3;
const BLOCKS = 10;
/** Handshakes in flight. */
const OPENING = 128;
const USERS = 500;
const ROOMS = 50;
const PATIENCE_MS = 30_000;
const LOOK_AGAIN_MS = 250;
/** Connections after the warm-up; fewer allow no verdict on memory. */
const MEASURED_CONNECTIONS_MIN = 400;
/** For the measurement's own connections to Redis and to the metrics. */
const FILES_MORE_MAX = 5;
const JOIN = 'joined';

/** @param {object} options of run.mjs @returns {Promise<import('../../report/results.mjs').Run & { problems: string[] }>} */
export async function churn(options) {
  const { clients, cycles, minutes } = options;
  console.log(
    `${clients} clients × ${cycles} cycles (and ${WARM_UP_CYCLES} before) = ${whole(clients * cycles)} connections`,
  );
  const tokens = Array.from({ length: USERS }, (_, user) => signToken({ user: `guest-${user}`, secret: SECRET }));
  const target = await startTarget(options.target);
  const { edge, parts, redis } = target;
  let connections = 0;
  const watch = startWatch(parts, () => connections);
  const problems = [];
  const rows = [];

  const cycle = async number => {
    const failed = await comeAndGo(edge.port, tokens, { clients, number });
    connections += clients;
    if (failed.length > 0)
      problems.push(`cycle ${number}: ${failed.length} of ${clients} clients failed, such as: ${failed[0]}`);
  };
  const look = async () => {
    await settle(edge, redis, problems);
    const row = { connections, files: edge.openFiles(), ...(redis && (await redisFigures(redis))) };
    for (const part of parts) row[part.name] = await heldBy(part);
    rows.push(row);
    console.log(rowInWords(row, parts));
  };

  const beganAtMs = performance.now();
  const over = () =>
    watch.dead() !== undefined || performance.now() - beganAtMs > minutes * 60_000 || problems.length > 5;
  for (let number = 0; number < WARM_UP_CYCLES && !over(); number++) await cycle(number);
  if (!over()) await look();
  const perBlock = Math.max(1, Math.ceil(cycles / BLOCKS));
  for (let done = 0; done < cycles && !over(); ) {
    for (const end = Math.min(cycles, done + perBlock); done < end && !over(); done++)
      await cycle(WARM_UP_CYCLES + done);
    if (watch.dead() === undefined) await look();
  }
  const seconds = (performance.now() - beganAtMs) / 1000;
  problems.push(...(await watch.stop()));
  if (rows.length > 1) problems.push(...growth(rows, parts));

  const run = {
    scenario: 'fuzz-churn',
    description: `${clients} clients connect, join one of 50 rooms that are new in each cycle, and leave; the first row is after the warm-up`,
    command: ownCommand('npm run fuzz'),
    machine: describeMachine({ redis: redis?.version ?? 'none' }),
    clients,
    asked: cycles,
    connections,
    seconds,
    rows,
    parts: parts.map(({ name }) => name),
    problems,
  };
  console.log(`\n${churnTables(run)}`);
  await target.close();
  return run;
}

/** All clients connect and join a room; then all leave, some with a reset. @returns {Promise<string[]>} failures */
async function comeAndGo(port, tokens, { clients, number }) {
  const failed = [];
  const sessions = [];
  let next = 0;
  const opener = async () => {
    while (next < clients) {
      const client = next++;
      try {
        sessions.push(await join(port, tokens[client % tokens.length], client, number));
      } catch (error) {
        failed.push(error.message);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(OPENING, clients) }, opener));
  sessions.forEach((session, client) => {
    if (client % 3 === 0) session.reset();
    else session.close();
  });
  return failed;
}

function join(port, token, client, number) {
  return new Promise((resolve, reject) => {
    const patience = setTimeout(() => fail(`not in its room within ${PATIENCE_MS} ms`), PATIENCE_MS);
    const fail = why => {
      clearTimeout(patience);
      session.reset();
      reject(new Error(why));
    };
    let welcomed = false;
    const session = openSession({
      port,
      token,
      encoding: 'json',
      localAddress: sourceAddress(client),
      onEnd: fail,
      onFrame(bytes) {
        if (!welcomed) {
          welcomed = true;
          // New rooms in each cycle: the state of an empty room must disappear.
          const room = `churn-${number}-${client % ROOMS}`;
          session.write(encodeText(JSON.stringify({ type: 'join_room', id: JOIN, payload: { room_id: room } })));
        } else if (bytes.includes(JOIN)) {
          clearTimeout(patience);
          resolve(session);
        }
      },
    });
  });
}

/** Waits until the edge and the registry have no state of the clients; the grace of presence takes seconds. */
async function settle(edge, redis, problems) {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const metrics = await readMetrics(edge);
    const left = {
      sessions: metrics.get('hubbub_edge_sessions'),
      // The channels of broadcasts and of the node stay.
      subscriptions: metrics.get('hubbub_edge_subscriptions') - 2,
      keys: redis && (await redisFigures(redis)).clientKeys,
    };
    const open = Object.entries(left).filter(([, count]) => count !== undefined && count > 0);
    if (open.length === 0) return;
    if (performance.now() > deadline) {
      problems.push(
        `after ${PATIENCE_MS / 1000} s: ${open.map(([name, count]) => `${count} ${name}`).join(', ')} are left`,
      );
      return;
    }
    await sleep(LOOK_AGAIN_MS);
  }
}

/** Describes the growth between the warm-up and the end. */
function growth(rows, parts) {
  const [first, last] = [rows[0], rows.at(-1)];
  const connections = last.connections - first.connections;
  const problems = parts.flatMap(({ name }) => {
    const { verdict, words } = memoryVerdict({
      warm: first[name],
      end: last[name],
      count: connections,
      countMin: MEASURED_CONNECTIONS_MIN,
    });
    console.log(`Memory of ${name}: ${verdict} (${words}).`);
    return verdict === 'grows'
      ? [`${name} grows: ${words}; the line through all rows: ${slopeBytes(rows, name).toFixed(2)} bytes`]
      : [];
  });
  if (last.keys > first.keys) problems.push(`Redis holds ${last.keys} keys, after the warm-up it held ${first.keys}`);
  if (last.files > first.files + FILES_MORE_MAX) {
    problems.push(`the edge has ${last.files} files open, after the warm-up it had ${first.files}`);
  }
  return problems;
}

function rowInWords(row, parts) {
  const mib = bytes => (bytes / MIB).toFixed(1);
  const memory = parts.map(
    ({ name }) => `${name} holds ${mib(row[name].heapBytes)} MiB, RSS ${mib(row[name].rssBytes)} MiB`,
  );
  return [
    `${whole(row.connections)} connections`,
    ...memory,
    ...(row.keys === undefined ? [] : [`Redis ${row.keys} keys`]),
  ].join(' · ');
}
