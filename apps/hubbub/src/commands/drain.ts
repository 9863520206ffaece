/** hubbub drain: moves a share of the sessions to other edges; the edges stay in service. */
import { HubbubError } from '@hubbub/protocol';
import { Command } from 'commander';
import { loadCommandConfig } from '../command-config.js';
import { CommandFailure, wholeNumber } from '../command-line.js';
import { printLine } from '../printing.js';
import { untilRedis } from '../redis.js';
import { withService } from '../service.js';

interface DrainCommandOptions {
  readonly percent: number;
  readonly node?: string;
}

export function drainCommand(): Command {
  return new Command('drain')
    .description('Moves a share of the sessions to other edges, which stay in service. Needs HUBBUB_REDIS_URL.')
    .requiredOption('--percent <n>', 'share of the sessions, from 1 to 100', wholeNumber(1, 100))
    .option('--node <id>', 'only this edge (default: every edge)')
    .addHelpText(
      'after',
      `
For the time after edges were added: the balancer sends the clients to the edges with the fewest. Each edge spreads the
moves over HUBBUB_DRAIN_WINDOW_MS. Clients of the SDK resume: rooms with history miss nothing, and no member leaves.
To stop an edge, send it SIGTERM: it drains by itself.

Examples:
  $ hubbub drain --percent 20
  $ hubbub drain --percent 50 --node edge-1`,
    )
    .action(async ({ percent, node }: DrainCommandOptions) => {
      const config = loadCommandConfig();
      const asked = await withService(config, 'the request', hubbub =>
        untilRedis(
          () => hubbub.moveSessions({ percent, ...(node !== undefined && { node }) }),
          config.redisCommandTimeoutMs,
        ),
      ).catch((error: unknown) => {
        if (error instanceof HubbubError && error.code === 'NOT_FOUND') throw new CommandFailure(error.message);
        throw error;
      });
      printLine(`asked ${asked.join(', ')} to move ${percent} % of the sessions`);
    });
}
