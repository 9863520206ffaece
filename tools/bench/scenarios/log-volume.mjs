/** Counts what a cluster writes to its logs at level info, while its sessions open, rest, reconnect and are drained. */
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, findRedis, startHubbubCluster, startRedis } from '@hubbub/tools/kit';
import { boundTime, ownCommand } from '../../command-line.mjs';
import { describeMachine } from '../../report/machine.mjs';
import { countsInWords, countsOf, table, whole } from '../../report/tables.mjs';
import { withParts } from '../load/measurement.mjs';
import { plainSessions } from '../load/plain-sessions.mjs';
import { settingsOf } from '../relays/start.mjs';

const LIMIT_S = 600;
/** Reports and lifecycle follow a phase for that long. */
const CALM_MS = 5000;
const SETTINGS = {
  HUBBUB_SHED_OVERLOAD: 'false',
  HUBBUB_DRAIN_DELAY_MS: '0',
  HUBBUB_DRAIN_WINDOW_MS: '10000',
  HUBBUB_SHUTDOWN_TIMEOUT_MS: '30000',
};

export const logVolume = {
  name: 'log-volume',
  description:
    'lines and bytes of the logs at level info while 10,000 sessions open, rest, reconnect and are drained; no relays are compared',
  full: { sessions: 10_000, edges: 3, restSeconds: 60 },
  quick: { sessions: 300, restSeconds: 2 },

  /** @param {{ sessions: number, edges: number, restSeconds: number }} settings */
  async run(settings) {
    boundTime(LIMIT_S);
    const rows = await measure(settings);
    const { name: scenario, description } = logVolume;
    const machine = describeMachine({ redis: findRedis().version });
    const result = { scenario, description, command: ownCommand('npm run bench'), settings, machine, rows };
    console.log(`\n${logVolume.summarize(result)}\n`);
    return result;
  },

  summarize: ({ rows, settings }) =>
    `${table(
      ['what', 'lines', 'bytes', 'lines for each session', 'bytes for each session'],
      rows.map(({ what, lines, bytes }) => [
        what,
        whole(lines),
        whole(bytes),
        (lines / settings.sessions).toFixed(4),
        (bytes / settings.sessions).toFixed(2),
      ]),
    )}\n\n${rows.map(({ what, events }) => `- ${what}: ${countsInWords(events) || 'nothing'}`).join('\n')}`,
};

function measure({ sessions: count, edges, restSeconds }) {
  return withParts(async opened => {
    const redis = await startRedis();
    await opened({ close: () => redis.dispose() });
    const cluster = await startHubbubCluster({ edges, presence: 1, env: settingsOf(redis.url, SETTINGS) });
    await opened({ close: () => cluster.end('terminate') });
    const log = [];
    const listen = ({ output }) =>
      output.onLine((line, entry) => log.push({ line, event: entry?.event ?? 'no event' }));
    for (const part of [...cluster.edges.map(edge => edge.process), ...cluster.presence]) listen(part);
    const sessions = await opened(plainSessions(count));
    const ports = cluster.edges.map(({ process }) => process.port);

    const rows = [];
    const phase = async (what, act) => {
      log.length = 0;
      await act();
      await sleep(CALM_MS);
      const bytes = log.reduce((sum, { line }) => sum + Buffer.byteLength(line) + 1, 0);
      rows.push({ what, lines: log.length, bytes, events: countsOf(log.map(({ event }) => event)) });
    };
    await phase('open', () => sessions.open(ports));
    await phase(`rest, ${restSeconds} s`, () => sleep(restSeconds * 1000));
    await phase('reconnect, all', async () => {
      await sessions.close();
      await sessions.open(ports);
    });
    const drained = cluster.edge(0).process;
    await phase('drain of one edge', async () => {
      await drained.kill('SIGTERM');
      await eventually(() => sessions.ended > 0, { describe: 'the drained edge closed its sessions' });
      await sessions.open(ports.slice(1));
    });
    return rows;
  });
}
