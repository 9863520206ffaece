/** hubbub explain: what happened to a user, a session or a room, as every edge remembers it. */
import type { Explanation } from '@hubbub/protocol/account';
import { Command } from 'commander';
import { loadCommandConfig } from '../command-config.js';
import { explanationLines } from '../explanation-text.js';
import { printJson, printLine } from '../printing.js';
import { untilRedis } from '../redis.js';
import { withService } from '../service.js';

export function explainCommand(): Command {
  return new Command('explain')
    .description('Explains what happened to a user, a session or a room. Needs HUBBUB_REDIS_URL.')
    .argument('<name>', 'id of a user, id of a session, or name of a room: all that have this name')
    .option('--json', 'as one JSON document')
    .addHelpText(
      'after',
      `
Asks every edge once: refused handshakes and frames with the reason, joins, exceeded limits, recoveries and gaps, bytes
that wait for the client, types of the last frames, and how sessions ended. Edges keep it in memory, bounded, without
payloads. Edges that do not answer within 2 seconds are listed: what they knew is missing.

Examples:
  $ hubbub explain u1
  $ hubbub explain q2VqkD5x.1a
  $ hubbub explain chat:42 --json | jq .nodes`,
    )
    .action(async (name: string, { json = false }: { json?: boolean }) => {
      const config = loadCommandConfig();
      const explanation = await withService(config, 'the question', hubbub =>
        untilRedis(() => hubbub.explain({ name }), config.redisCommandTimeoutMs),
      );
      if (json) return printJson(explanation);
      print(name, explanation);
    });
}

function print(name: string, explanation: Explanation): void {
  for (const line of explanationLines(name, explanation)) printLine(line);
}
