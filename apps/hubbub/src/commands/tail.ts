/** hubbub tail: prints what is published to a room, a user or everybody, as it travels. */
import { setTimeout as delay } from 'node:timers/promises';
import { withoutCredentials } from '@hubbub/config';
import { HubbubError } from '@hubbub/protocol';
import type { TailedMessage, TailListener, TailQuery } from '@hubbub/server';
import { Command } from 'commander';
import { type Audience, type AudienceOptions, audienceOf, nameOf } from '../audience.js';
import { loadCommandConfig } from '../command-config.js';
import { CommandFailure, durationMs, wrongUse } from '../command-line.js';
import { coloured, harmless, harmlessJson, printLine, printNote } from '../printing.js';
import { requireRedis, untilRedis } from '../redis.js';
import { openService } from '../service.js';

interface TailOptions extends AudienceOptions {
  readonly json?: boolean;
  /** In milliseconds. */
  readonly duration?: number;
}

const HELP = 'hubbub tail';
/** The longest wait of a timer in Node. */
const TIMER_MAX_MS = 2 ** 31 - 1;

export function tailCommand(): Command {
  return new Command('tail')
    .description('Prints what is published to a room, a user or everybody, until Ctrl-C. Needs HUBBUB_REDIS_URL.')
    .usage('[options] <room>')
    .argument('[room]', 'not with --user and --all')
    .option('--user <id>', 'messages to this user, instead of a room')
    .option('--all', 'messages to everybody, instead of a room')
    .option('--json', 'one JSON document a line')
    .option('--duration <time>', 'ends after this time, such as 500ms, 10s, 5m', durationMs(TIMER_MAX_MS))
    .addHelpText(
      'after',
      `
Shows messages that are published from now on, also those that edges do not deliver. It does not join the room.
It cannot read from a hubbub start without Redis. Losses while Redis is away are reported on stderr. Ctrl-C ends it
with 0.

Examples:
  $ hubbub tail general
  $ hubbub tail chat:42 --json --duration 10s | jq .frame.payload`,
    )
    .action(tail);
}

async function tail(room: string | undefined, options: TailOptions): Promise<void> {
  const { audience, rest } = audienceOf(room === undefined ? [] : [room], options, HELP);
  if (rest.length > 0) throw wrongUse('expected a room, or --user, or --all, and only one of them', HELP);
  const config = loadCommandConfig();
  // Before anything is waited for: Ctrl-C ends it at any time.
  const stopped = untilStopped();
  const giveUp = new AbortController();
  const { hubbub, failure } = openService(config);
  const show = options.json === true ? (message: TailedMessage) => printLine(harmlessJson(message)) : printMessage;
  const listener: TailListener = {
    message(message, size) {
      if (message === undefined) printNote(`dropped: ${size} bytes that are not a message`);
      else show(message);
    },
    gap: awayMs => printNote(`Redis was away for ${awayMs} ms; messages published in that time are missing here`),
  };
  try {
    const follow = () => hubbub.tail(queryOf(audience), listener);
    const subscribed = untilRedis(follow, config.redisCommandTimeoutMs, giveUp.signal);
    if ((await Promise.race([subscribed, stopped])) === 'stopped') return;
    printNote(`tailing ${nameOf(audience)}; Ctrl-C ends it`);
    await (options.duration === undefined
      ? stopped
      : Promise.race([stopped, delay(options.duration, undefined, { ref: false })]));
  } catch (error) {
    if (!(error instanceof HubbubError)) throw error;
    throw new CommandFailure(`Redis at ${withoutCredentials(requireRedis(config))}: ${failure()}; see: hubbub doctor`);
  } finally {
    giveUp.abort();
    await hubbub.close();
  }
}

function queryOf(audience: Audience): TailQuery {
  switch (audience.kind) {
    case 'room':
      return { room: audience.room };
    case 'user':
      return { user: audience.user };
    case 'all':
      return { all: true };
  }
}

/** Resolves on Ctrl-C or SIGTERM. */
async function untilStopped(): Promise<'stopped'> {
  await new Promise<void>(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  return 'stopped';
}

function printMessage({ at, frame, control, offset }: TailedMessage): void {
  const { type, sender, payload, id }: Partial<Record<string, unknown>> = Object(frame);
  const parts = [
    coloured('dim', at.slice(11, 23)),
    offset === undefined ? '' : coloured('dim', `#${offset}`),
    coloured('cyan', harmless(control === undefined ? String(type) : `control ${control.do}`)),
    sender === undefined ? '' : coloured('green', harmless(String(Object(sender).id))),
    id === undefined ? '' : coloured('dim', harmless(`id=${String(id)}`)),
    harmless(JSON.stringify(control ?? payload ?? {})),
  ];
  printLine(parts.filter(part => part !== '').join('  '));
}
