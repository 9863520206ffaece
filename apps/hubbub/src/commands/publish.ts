/** hubbub publish: one message to a room, a user or everybody, as a service sends it. */
import { text } from 'node:stream/consumers';
import type { Hubbub, Publication, Published } from '@hubbub/server';
import { Command } from 'commander';
import { type Audience, type AudienceOptions, audienceOf, nameOf } from '../audience.js';
import { loadCommandConfig } from '../command-config.js';
import { wrongUse } from '../command-line.js';
import { printJson, printLine } from '../printing.js';
import { withService } from '../service.js';

interface PublishOptions extends AudienceOptions {
  readonly id?: string;
  readonly idempotencyKey?: string;
  readonly json?: boolean;
}

const HELP = 'hubbub publish';

export function publishCommand(): Command {
  return new Command('publish')
    .description('Publishes a message to a room, a user or everybody. Needs HUBBUB_REDIS_URL.')
    .usage('[options] <room> <type> [payload]')
    .argument('<words...>', 'room (not with --user and --all), type, and payload: a JSON object, or - for stdin')
    .option('--user <id>', 'to every session of this user, instead of a room')
    .option('--all', 'to every session of the cluster, instead of a room')
    .option('--id <id>', 'the id of the message for its recipients')
    .option('--idempotency-key <key>', 'the same key within five minutes publishes it once')
    .option('--json', 'the outcome, as one JSON document')
    .addHelpText(
      'after',
      `
Publishes to the cluster of HUBBUB_REDIS_URL and HUBBUB_REDIS_PREFIX, not to a hubbub start without Redis. Ends
when Redis has taken the message; prints its offset if the room has history.

Examples:
  $ hubbub publish general build.finished '{"ok":true}'
  $ hubbub publish --user u1 notification.new '{"text":"Your build is done"}'
  $ jq -c . report.json | hubbub publish --all report.ready -`,
    )
    .action(async (words: string[], options: PublishOptions) => {
      const { audience, rest } = audienceOf(words, options, HELP);
      const message = await messageOf(rest, options);
      const published = await withService(loadCommandConfig(), 'the message', hubbub =>
        send(hubbub, audience, message),
      );
      if (options.json === true) return printJson({ to: audience, ...published });
      printLine(wordsFor(audience, message, published));
    });
}

async function messageOf(words: readonly string[], { id, idempotencyKey }: PublishOptions): Promise<Publication> {
  const [type, given, ...tooMany] = words;
  if (type === undefined) throw wrongUse('expected the type of the message', HELP);
  if (tooMany.length > 0) throw wrongUse(`"${tooMany[0]}": expected no more arguments; quote the payload`, HELP);
  return {
    type,
    ...(given !== undefined && { payload: payloadOf(given === '-' ? await text(process.stdin) : given) }),
    ...(id !== undefined && { id }),
    ...(idempotencyKey !== undefined && { idempotencyKey }),
  };
}

function payloadOf(json: string): Record<string, unknown> {
  let payload: unknown;
  try {
    payload = JSON.parse(json);
  } catch {
    // The parser's message quotes the payload and does not name the right form.
    throw wrongUse('payload: expected JSON, such as {"ok":true}', HELP);
  }
  if (typeof payload === 'object' && payload !== null && !Array.isArray(payload)) return { ...payload };
  throw wrongUse('payload: expected a JSON object, such as {"ok":true}', HELP);
}

function send(hubbub: Hubbub, audience: Audience, message: Publication): Promise<Published> {
  switch (audience.kind) {
    case 'room':
      return hubbub.publishToRoom(audience.room, message);
    case 'user':
      return hubbub.publishToUser(audience.user, message);
    case 'all':
      return hubbub.publishToAll(message);
  }
}

function wordsFor(audience: Audience, { type }: Publication, { offset, repeated = false }: Published): string {
  const where = offset === undefined ? '' : `, offset ${offset}`;
  if (repeated) return `not published again to ${nameOf(audience)}: the idempotency key was used before${where}`;
  return `published ${type} to ${nameOf(audience)}${where}`;
}
