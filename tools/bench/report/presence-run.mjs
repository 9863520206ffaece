/** The table of the presence scenario, and its saved run. */
import { saveRun } from './results.mjs';

/** `killSeconds`: the lease of 8 s, the grace of 5 s, and 2 s for the removal itself. */
const MOST = { redisBytes: 250, idleCommands: 50, killSeconds: 15 };

/** @returns {string} a Markdown table */
export function presenceTable(figures, { rooms, edges, idleSeconds }) {
  const { sessions, kills } = figures;
  const slowest = Math.max(...kills.map(kill => kill.lastSeconds));
  const verdict = (value, most) => (value <= most ? 'kept' : 'MISSED');
  const times = kills.map(kill => kill.lastSeconds.toFixed(1)).join(', ');
  const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
  const perKind = Object.entries(figures.redisBytesPerSessionByKind)
    .sort(([, a], [, b]) => b - a)
    .filter(([, bytes]) => bytes >= 1)
    .map(([kind, bytes]) => `${kind} ${bytes.toFixed(0)}`)
    .join(', ');
  const rows = [
    ['joins/s, each with `user_joined`, `room_info` and its rows', whole.format(figures.joinsPerSecond), ''],
    ['until every join is answered and every roster complete', `${figures.rostersCompleteSeconds.toFixed(1)} s`, ''],
    [
      `bytes of Redis a session (${perKind})`,
      figures.redisBytesPerSession.toFixed(0),
      `at most ${MOST.redisBytes}: ${verdict(figures.redisBytesPerSession, MOST.redisBytes)}`,
    ],
    ['bytes of the presence process a session, garbage included', whole.format(figures.presenceBytesPerSession), ''],
    [
      `commands of Redis a second while all idle, ${idleSeconds} s`,
      figures.idleCommandsPerSecond.toFixed(1),
      `below ${MOST.idleCommands}: ${verdict(figures.idleCommandsPerSecond, MOST.idleCommands)}`,
    ],
    [
      `from kill -9 of an edge with ${whole.format(sessions / edges)} sessions to the last \`user_left\`, each exactly once`,
      `${times} s`,
      `at most ${MOST.killSeconds} s: ${verdict(slowest, MOST.killSeconds)}`,
    ],
    [
      'cores used while joining: presence, others on this machine',
      `${figures.presenceCpu.toFixed(2)}, ${figures.othersCpu.toFixed(2)}`,
      '',
    ],
  ];
  const head = `${whole.format(sessions)} sessions in ${whole.format(rooms)} rooms, ${edges} edges, one presence instance:`;
  return [head, '', '| what | figure | target |', '|---|---|---|', ...rows.map(row => `| ${row.join(' | ')} |`)].join(
    '\n',
  );
}

/** @returns {string} the path of the run's file, from the root of the repository */
export function savePresenceRun(run) {
  const { settings, figures } = run;
  const disturbed =
    figures.othersCpu > 0.1
      ? `**Other processes used this machine** during the joins (${figures.othersCpu.toFixed(2)} cores): joins/s are a lower bound.`
      : '';
  const summary = [
    presenceTable(figures, settings),
    'The edges are real reporters in their own processes, without sockets. Presence runs with its defaults (lease of an edge 8 s, grace 5 s).',
    ...(disturbed === '' ? [] : [disturbed]),
    ...figures.troubles.map(line => `- ${line}`),
  ];
  return saveRun({ ...run, summary: summary.join('\n\n') });
}
