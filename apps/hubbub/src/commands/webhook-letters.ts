/** hubbub webhooks dead-letters, redeliver: the events that a webhook gave up. */
import type { Config } from '@hubbub/config';
import type { DeadLetter, Hubbub, LifecycleLetter } from '@hubbub/server';
import { definedWebhooks } from '@hubbub/webhooks';
import { Command } from 'commander';
import { loadCommandConfig } from '../command-config.js';
import { CommandFailure, wholeNumber, wrongUse } from '../command-line.js';
import { harmless, printJson, printLine, printTable } from '../printing.js';
import { withService } from '../service.js';

const LETTERS_MAX = 10_000;
const HELP = `
Needs HUBBUB_REDIS_URL, and the file of HUBBUB_CONFIG with the webhooks. A letter of a client event is called
<namespace>/<id>, one of a lifecycle event <id>.`;

/** The letters of one stream of the webhook, and how to send one again. */
interface Stream {
  /** Absent: lifecycle events. */
  readonly namespace?: string;
  letters(limit: number): Promise<readonly (DeadLetter | LifecycleLetter)[]>;
  replay(letterId: string): Promise<boolean>;
}

export function deadLettersCommand(): Command {
  return new Command('dead-letters')
    .description('Lists the events that a webhook gave up, oldest first.')
    .argument('<webhook>', 'name of the webhook')
    .option('--limit <n>', 'letters of each namespace, and of the lifecycle events', wholeNumber(1, LETTERS_MAX), 100)
    .option('--json', 'as one JSON document, with the events')
    .addHelpText(
      'after',
      `${HELP}

Example:
  $ hubbub webhooks dead-letters shop`,
    )
    .action(async (webhook: string, { limit, json = false }: { limit: number; json?: boolean }) => {
      const config = loadCommandConfig();
      await withService(config, 'the question', async hubbub => {
        const letters = await lettersOf(streamsOf(config, hubbub, webhook), limit);
        if (json) return printJson({ dead_letters: letters });
        printTable([['letter', 'event', 'about', 'attempts', 'given up', 'reason'], ...letters.map(rowOf)]);
      });
    });
}

export function redeliverCommand(): Command {
  return new Command('redeliver')
    .description('Sends dead letters of a webhook again, with new attempts, and removes them.')
    .argument('<webhook>', 'name of the webhook')
    .argument('[letters...]', 'letters, as dead-letters lists them')
    .option('--all', 'every letter of the webhook')
    .addHelpText(
      'after',
      `${HELP} A running hubbub webhooks sends the events, behind those that wait, with other ids than before.

Examples:
  $ hubbub webhooks redeliver shop --all
  $ hubbub webhooks redeliver shop game/1700000000000-0`,
    )
    .action(async (webhook: string, named: readonly string[], { all = false }: { all?: boolean }) => {
      if (all === named.length > 0) throw wrongUse('expected letters, or --all', 'hubbub webhooks redeliver');
      const config = loadCommandConfig();
      await withService(config, 'the letters', async hubbub => {
        const streams = streamsOf(config, hubbub, webhook);
        const names = all ? (await lettersOf(streams, LETTERS_MAX)).map(({ letter }) => letter) : named;
        const missing: string[] = [];
        // One after the other: events of a room keep their order.
        for (const name of names) if (!(await redeliver(streams, name))) missing.push(name);
        printLine(`events sent again: ${names.length - missing.length}`);
        if (missing.length > 0)
          throw new CommandFailure(`no such dead letter, or it holds no event: ${missing.join(', ')}`);
      });
    });
}

function streamsOf(config: Config, hubbub: Hubbub, name: string): readonly Stream[] {
  const webhooks = definedWebhooks(config);
  const webhook = webhooks.find(defined => defined.name === name);
  if (webhook === undefined) {
    const known = webhooks.map(defined => defined.name).join(', ') || 'none; the file of HUBBUB_CONFIG has them';
    throw wrongUse(`unknown webhook ${name}; known: ${known}`, 'hubbub webhooks');
  }
  const { group, namespaces, hasLifecycle } = webhook;
  const streams: Stream[] = namespaces.map(namespace => ({
    namespace,
    letters: limit => hubbub.deadLetters(namespace, group, limit),
    replay: letterId => hubbub.replayDeadLetter(namespace, group, letterId),
  }));
  if (hasLifecycle) {
    streams.push({
      letters: limit => hubbub.lifecycleDeadLetters(group, limit),
      replay: letterId => hubbub.replayLifecycleDeadLetter(group, letterId),
    });
  }
  return streams;
}

async function lettersOf(streams: readonly Stream[], limit: number) {
  const lists = await Promise.all(
    streams.map(async ({ namespace, letters }) =>
      (await letters(limit)).map(({ letterId, ...letter }) => ({ letter: nameOf(namespace, letterId), ...letter })),
    ),
  );
  return lists.flat().sort((a, b) => a.buriedAtMs - b.buriedAtMs);
}

async function redeliver(streams: readonly Stream[], name: string): Promise<boolean> {
  const letterId = name.slice(name.lastIndexOf('/') + 1);
  const stream = streams.find(({ namespace }) => nameOf(namespace, letterId) === name);
  return stream !== undefined && (await stream.replay(letterId));
}

function nameOf(namespace: string | undefined, letterId: string): string {
  return namespace === undefined ? letterId : `${namespace}/${letterId}`;
}

function rowOf({
  letter,
  event,
  attempt,
  buriedAtMs,
  reason,
}: Awaited<ReturnType<typeof lettersOf>>[number]): string[] {
  const type = event === undefined ? '' : 'type' in event ? event.type : event.event;
  const room = event !== undefined && 'room' in event ? event.room : undefined;
  const user = event !== undefined && 'user' in event ? event.user : undefined;
  const about = room ?? (typeof user === 'object' ? user.id : (user ?? ''));
  const cells = [letter, type, about, String(attempt), new Date(buriedAtMs).toISOString(), reason];
  return cells.map(harmless);
}
