/** hubbub edge: one edge of a cluster on Redis. */
import { startEdge } from '@hubbub/edge';
import { Command } from 'commander';
import { runProcess, warnOfDevelopmentSecret } from '../process.js';
import { openConfiguredBackplane, requireRedis } from '../redis.js';

export function edgeCommand(): Command {
  return new Command('edge')
    .description('Runs one edge of a cluster: it holds the sockets. Needs HUBBUB_REDIS_URL.')
    .action(async () => {
      const running = await runProcess('edge', async ({ config, log, metrics }) => {
        const bus = openConfiguredBackplane(requireRedis(config), config, log);
        const edge = await startEdge({ config, log, metrics, bus });
        return {
          ...edge,
          async close(announced?: boolean) {
            await edge.close(announced);
            await bus.close();
          },
        };
      });
      warnOfDevelopmentSecret(running);
    });
}
