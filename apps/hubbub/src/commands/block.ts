/** hubbub block: keeps a user out of every edge until a time. */
import { Command, Option } from 'commander';
import { loadCommandConfig } from '../command-config.js';
import { durationMs, wrongUse } from '../command-line.js';
import { printLine } from '../printing.js';
import { withService } from '../service.js';

interface BlockOptions {
  readonly for?: number;
  readonly undo?: boolean;
}

const YEAR_MS = 366 * 86_400_000;

export function blockCommand(): Command {
  return new Command('block')
    .description('Blocks a user on every edge for a time. Needs HUBBUB_REDIS_URL.')
    .argument('<user>', 'id of the user')
    .addOption(
      new Option('--for <duration>', 'how long, such as 15m, 1h, 7d; at most 366d').argParser(durationMs(YEAR_MS)),
    )
    .option('--undo', 'ends the block')
    .addHelpText(
      'after',
      `
Every session of the user ends within a second, and the user cannot connect, whatever the token.

Examples:
  $ hubbub block u1 --for 1h
  $ hubbub block u1 --undo`,
    )
    .action(async (user: string, { for: forMs, undo = false }: BlockOptions) => {
      if (undo === (forMs !== undefined)) throw wrongUse('expected either --for <duration> or --undo', 'hubbub block');
      await withService(loadCommandConfig(), 'the block', async hubbub => {
        if (forMs === undefined) {
          const known = await hubbub.unblockUser(user);
          return printLine(known ? `ended the block of ${user}` : `${user} was not blocked`);
        }
        const until = new Date(Date.now() + forMs);
        await hubbub.blockUser(user, until);
        printLine(`blocked ${user} until ${until.toISOString()}`);
      });
    });
}
