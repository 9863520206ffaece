/** hubbub token: signs a token with the configured secret and prints it, and nothing else. */
import { DEVELOPMENT_JWT_SECRET, loadConfig } from '@hubbub/runtime';
import { Command } from 'commander';
import { mintToken } from '../mint-token.js';

interface TokenOptions {
  readonly user: string;
  readonly name?: string;
  readonly rooms?: string[];
  readonly ttl: string;
}

export function tokenCommand(): Command {
  return new Command('token')
    .description('Prints a token to connect with, signed with HUBBUB_JWT_SECRET.')
    .requiredOption('--user <id>', "the user's id")
    .option('--name <name>', "the user's name as others see it; the id when not given")
    .option('--rooms <patterns...>', "rooms the token opens, such as 'chat:*'; every public one when not given")
    .option('--ttl <duration>', 'how long it is valid, such as 15m, 1h, 7d', '1h')
    .addHelpText('after', "\nExample:\n  $ hubbub token --user u1 --name One --rooms 'chat:*' --ttl 8h")
    .action(({ user, name, rooms, ttl }: TokenOptions) => {
      const { jwtSecret } = loadConfig();
      const patterns = rooms?.flatMap(pattern => pattern.split(',')).filter(pattern => pattern !== '');
      const token = mintToken(jwtSecret ?? DEVELOPMENT_JWT_SECRET, {
        user,
        ttl,
        ...(name !== undefined && { name }),
        ...(patterns !== undefined && { rooms: patterns }),
      });
      process.stdout.write(`${token}\n`);
    });
}
