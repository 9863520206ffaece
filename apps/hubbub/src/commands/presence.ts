/** hubbub presence: one instance of the presence service of a cluster on Redis. */
import { Command } from 'commander';
import { startRedisPresence } from '../presence.js';
import { runProcess } from '../process.js';
import { requireRedis } from '../redis.js';

export function presenceCommand(): Command {
  return new Command('presence')
    .description('Runs one instance of the presence service: it keeps the rosters of rooms. Needs HUBBUB_REDIS_URL.')
    .addHelpText(
      'after',
      `
Several may run: they share the work, and take over from one that dies. It listens on HUBBUB_ADMIN_PORT (8081) alone:
choose another one where an edge runs on the same machine. HUBBUB_PRESENCE_API_KEYS opens its HTTP interface there,
which hubbub rooms, hubbub who and hubbub api ask.

Example:
  $ HUBBUB_REDIS_URL=redis://127.0.0.1:6379 HUBBUB_ADMIN_PORT=9100 hubbub presence`,
    )
    .action(async () => {
      await runProcess('presence', async parts => {
        const presence = await startRedisPresence(requireRedis(parts.config), parts);
        return {
          readiness: () => ({
            ready: presence.healthy,
            checks: { registry: presence.healthy ? 'the last round succeeded' : 'the last round failed' },
          }),
          routes: presence.routes,
          close: () => presence.close(),
        };
      });
    });
}
