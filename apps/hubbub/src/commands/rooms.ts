/** hubbub rooms: which rooms have somebody in them, as presence knows it. */
import { isRoomName } from '@hubbub/protocol';
import { Command, InvalidArgumentError } from 'commander';
import { loadCommandConfig } from '../command-config.js';
import { wholeNumber } from '../command-line.js';
import { allPages, PRESENCE_HELP, presenceOf } from '../presence-question.js';
import { harmless, printJson, printTable } from '../printing.js';

interface RoomsOptions {
  readonly prefix?: string;
  readonly minCount: number;
  readonly json?: boolean;
}

export function roomsCommand(): Command {
  return new Command('rooms')
    .description('Lists the rooms with somebody in them. Needs HUBBUB_PRESENCE_URL and HUBBUB_PRESENCE_API_KEYS.')
    .option('--prefix <text>', 'only rooms whose names begin like this, such as chat:', roomPrefix)
    .option('--min-count <n>', 'only rooms with at least this many users', wholeNumber(0, 999_999_999), 0)
    .option('--json', 'as one JSON document')
    .addHelpText(
      'after',
      `${PRESENCE_HELP}
  $ hubbub rooms --prefix chat: --min-count 10`,
    )
    .action(async ({ prefix, minCount, json = false }: RoomsOptions) => {
      const { items } = await allPages(presenceOf(loadCommandConfig()), '/rooms', 'rooms', {
        prefix,
        min_count: String(minCount),
      });
      const rooms = items.map(room => ({ room: String(room.room_id), count: Number(room.count) }));
      rooms.sort((a, b) => b.count - a.count || (a.room < b.room ? -1 : 1));
      if (json) return printJson({ rooms });
      printTable([['users', 'room'], ...rooms.map(({ room, count }) => [String(count), harmless(room)])]);
    });
}

function roomPrefix(text: string): string {
  if (!isRoomName(text)) throw new InvalidArgumentError('Expected the beginning of a room name, such as chat:');
  return text;
}
