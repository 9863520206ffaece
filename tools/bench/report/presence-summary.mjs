/** The summary of the presence scenario. */
import { table, whole } from '../../report/tables.mjs';

/** `killSeconds`: the lease of 8 s, the grace of 5 s, and 2 s for the removal itself. */
const MOST = { redisBytes: 250, idleCommands: 50, killSeconds: 15 };

/**
 * Streams and hashes of the partitions cost 200 KiB without sessions: with few, that is most of the figure.
 * 400 sessions showed 701 bytes each, 4,000 showed 194, and 100,000 showed 119.
 */
const SESSIONS_FOR_BYTES = 50_000;

/** @param {import('../../report/results.mjs').Run} run @returns {string} Markdown */
export function presenceSummary({ figures, settings }) {
  const { othersCpu, troubles } = figures;
  return [
    presenceTable(figures, settings),
    'The edges are real reporters in their own processes, without sockets. Presence runs with its defaults (lease of an edge 8 s, grace 5 s).',
    ...(othersCpu > 0.1
      ? [
          `**Other processes used this machine** during the joins (${othersCpu.toFixed(2)} cores): joins/s are a lower bound.`,
        ]
      : []),
    ...troubles.map(line => `- ${line}`),
  ].join('\n\n');
}

function presenceTable(figures, { rooms, edges, idleSeconds }) {
  const { sessions, kills } = figures;
  const slowest = Math.max(...kills.map(kill => kill.lastSeconds));
  const verdict = (value, most) => (value <= most ? 'kept' : 'MISSED');
  const times = kills.map(kill => kill.lastSeconds.toFixed(1)).join(', ');
  const perKind = Object.entries(figures.redisBytesPerSessionByKind)
    .sort(([, a], [, b]) => b - a)
    .filter(([, bytes]) => bytes >= 1)
    .map(([kind, bytes]) => `${kind} ${bytes.toFixed(0)}`)
    .join(', ');
  const rows = [
    ['joins/s, each with `user_joined`, `room_info` and its rows', whole(figures.joinsPerSecond), ''],
    ['until every join is answered and every roster complete', `${figures.rostersCompleteSeconds.toFixed(1)} s`, ''],
    [
      `bytes of Redis a session (${perKind})`,
      figures.redisBytesPerSession.toFixed(0),
      `at most ${MOST.redisBytes}: ${sessions < SESSIONS_FOR_BYTES ? `not measured with fewer than ${whole(SESSIONS_FOR_BYTES)} sessions` : verdict(figures.redisBytesPerSession, MOST.redisBytes)}`,
    ],
    ['bytes of the presence process a session, garbage included', whole(figures.presenceBytesPerSession), ''],
    [
      `commands of Redis a second while all idle, ${idleSeconds} s`,
      figures.idleCommandsPerSecond.toFixed(1),
      `below ${MOST.idleCommands}: ${verdict(figures.idleCommandsPerSecond, MOST.idleCommands)}`,
    ],
    [
      `from kill -9 of an edge with ${whole(sessions / edges)} sessions to the last \`user_left\`, each exactly once`,
      `${times} s`,
      `at most ${MOST.killSeconds} s: ${verdict(slowest, MOST.killSeconds)}`,
    ],
    [
      'cores used while joining: presence, others on this machine',
      `${figures.presenceCpu.toFixed(2)}, ${figures.othersCpu.toFixed(2)}`,
      '',
    ],
  ];
  const head = `${whole(sessions)} sessions in ${whole(rooms)} rooms, ${edges} edges, one presence instance:`;
  return `${head}\n\n${table(['what', 'figure', 'target'], rows)}`;
}
