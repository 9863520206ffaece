/** hubbub revoke: revokes tokens of a user on every edge. */
import { Command, Option } from 'commander';
import { loadCommandConfig } from '../command-config.js';
import { durationMs } from '../command-line.js';
import { printLine } from '../printing.js';
import { withService } from '../service.js';

interface RevokeOptions {
  readonly jti?: string;
  readonly ttl?: number;
  readonly undo?: boolean;
}

export function revokeCommand(): Command {
  return new Command('revoke')
    .description('Revokes the tokens of a user on every edge. Needs HUBBUB_REDIS_URL.')
    .argument('<user>', 'id of the user')
    .option('--jti <id>', 'only the token with this jti, instead of all that were issued up to now')
    .addOption(
      new Option(
        '--ttl <duration>',
        'how long it is kept: the longest lifetime of your tokens (default: 30d)',
      ).argParser(durationMs()),
    )
    .option('--undo', 'withdraws the revocation')
    .addHelpText(
      'after',
      `
Sessions with these tokens end within a second, with a close code after which clients do not reconnect by themselves.
A token without iat counts as issued before. HUBBUB_REVOCATION_TTL_MS is the default of --ttl.

Examples:
  $ hubbub revoke u1
  $ hubbub revoke u1 --jti 7f3c9a
  $ hubbub revoke u1 --undo`,
    )
    .action(async (user: string, { jti, ttl, undo = false }: RevokeOptions) => {
      const config = loadCommandConfig();
      const selection = jti === undefined ? {} : { jti };
      const what = jti === undefined ? `all tokens of ${user} up to now` : `the token ${jti} of ${user}`;
      await withService(config, 'the revocation', async hubbub => {
        if (!undo) {
          await hubbub.revokeTokens(user, { ...selection, ttlMs: ttl ?? config.revocationTtlMs });
          return printLine(`revoked ${what}`);
        }
        const known = await hubbub.restoreTokens(user, selection);
        printLine(known ? `withdrew the revocation of ${what}` : `there was no revocation of ${what}`);
      });
    });
}
