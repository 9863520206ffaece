/** hubbub token: signs a token with the configured secret and prints it, and nothing else. */
import { loadConfig } from '@hubbub/config';
import { Command, Option } from 'commander';
import { CommandFailure, durationMs } from '../command-line.js';
import { openMint } from '../mint-token.js';

const HOUR_MS = 3_600_000;

interface TokenOptions {
  readonly user: string;
  readonly name?: string;
  readonly rooms?: string[];
  /** In milliseconds. */
  readonly ttl: number;
}

export function tokenCommand(): Command {
  return new Command('token')
    .description('Prints a token to connect with, signed with HUBBUB_JWT_SECRET by HUBBUB_JWT_SECRET_ALGORITHM.')
    .requiredOption('--user <id>', "the user's id")
    .option('--name <name>', "the user's name as others see it; the id when not given")
    .option(
      '--rooms <patterns...>',
      "rooms the token opens, such as 'chat:*'; default: all, in production the public ones",
    )
    .addOption(
      new Option('--ttl <duration>', 'how long it is valid, such as 15m, 1h, 7d')
        .argParser(durationMs())
        .default(HOUR_MS, '1h'),
    )
    .addHelpText(
      'after',
      `
Clients connect with it, such as to ws://127.0.0.1:8080/ws?token=<token>. In development, where no key is set, it is
signed with the public development secret, which hubbub start accepts too.

Example:
  $ hubbub token --user u1 --name One --rooms 'chat:*' general --ttl 8h`,
    )
    .action(({ user, name, rooms, ttl }: TokenOptions) => {
      const mint = openMint(loadConfig());
      if (mint === undefined) {
        throw new CommandFailure(
          'HUBBUB_JWT_SECRET is not set: the keys of this configuration only verify tokens. Ask the holder of the private key for a token.',
        );
      }
      const patterns = rooms?.flatMap(pattern => pattern.split(',')).filter(pattern => pattern !== '');
      const token = mint({
        user,
        ttlMs: ttl,
        ...(name !== undefined && { name }),
        ...(patterns !== undefined && { rooms: patterns }),
      });
      process.stdout.write(`${token}\n`);
    });
}
