/** hubbub who: everybody in a room, as presence knows it. */
import { Command } from 'commander';
import { audienceOf } from '../audience.js';
import { loadCommandConfig } from '../command-config.js';
import { allPages, PRESENCE_HELP, presenceOf } from '../presence-question.js';
import { harmless, printJson, printLine, printTable } from '../printing.js';

export function whoCommand(): Command {
  return new Command('who')
    .description('Lists who is in a room. Needs HUBBUB_PRESENCE_URL and HUBBUB_PRESENCE_API_KEYS.')
    .argument('<room>', 'such as general, or chat:42')
    .option('--json', 'as one JSON document')
    .addHelpText(
      'after',
      `${PRESENCE_HELP}
  $ hubbub who chat:42`,
    )
    .action(async (room: string, { json = false }: { json?: boolean }) => {
      // The same errors as of publish and tail.
      audienceOf([room], {}, 'hubbub who');
      const path = `/rooms/${encodeURIComponent(room)}/roster`;
      const { items: users, first } = await allPages(presenceOf(loadCommandConfig()), path, 'users');
      if (json) return printJson({ room, count: first.count, users });
      if (users.length > 0) printTable([['user', 'name', 'online', 'sessions'], ...users.map(rowOf), []]);
      printLine(`${Number(first.count)} in ${room}`);
    });
}

function rowOf({ id, name, online, sessions }: Readonly<Record<string, unknown>>): string[] {
  const nodes = Array.isArray(sessions) ? sessions.map(session => String(Object(session).node)) : [];
  return [
    String(id),
    String(name),
    online === true ? 'yes' : 'no',
    `${nodes.length} on ${[...new Set(nodes)].join(', ')}`,
  ].map(harmless);
}
