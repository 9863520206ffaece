/** hubbub explain: what happened to a user, a session or a room, as every edge remembers it. */
import { loadConfig } from '@hubbub/config';
import { isRoomName, isText, isUserId, SESSION_ID_MAX_BYTES } from '@hubbub/protocol';
import type { Explanation } from '@hubbub/protocol/account';
import type { ExplainQuery } from '@hubbub/server';
import { Command } from 'commander';
import { wrongUse } from '../command-line.js';
import { explanationLines } from '../explanation-text.js';
import { printJson, printLine } from '../printing.js';
import { untilRedis } from '../redis.js';
import { withService } from '../service.js';

const HELP = 'hubbub explain';

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
      const query = queryOf(name);
      const config = loadConfig();
      const explanation = await withService(config, 'the question', hubbub =>
        untilRedis(() => hubbub.explain(query), config.redisCommandTimeoutMs),
      );
      if (json) return printJson(explanation);
      print(name, explanation);
    });
}

function queryOf(name: string): ExplainQuery {
  const query = {
    ...(isUserId(name) && { user: name }),
    ...(isText(name, SESSION_ID_MAX_BYTES) && { session: name }),
    ...(isRoomName(name) && { room: name }),
  };
  if (Object.keys(query).length > 0) return query;
  throw wrongUse('expected the id of a user or a session, or the name of a room', HELP);
}

function print(name: string, explanation: Explanation): void {
  for (const line of explanationLines(name, explanation)) printLine(line);
}
