#!/usr/bin/env node
/** The command line: runs the named command, and reports how it ends. */
import { Command, CommanderError } from 'commander';
import { exitCodeOf, reportUsage } from './command-line.js';
import { endWithReader, printNote } from './printing.js';
import { VERSION } from './version.js';

/** Each loads what it needs: a question to Redis is not to wait until a whole edge is read from the disk. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  start: async () => (await import('./commands/start.js')).startCommand(),
  edge: async () => (await import('./commands/edge.js')).edgeCommand(),
  presence: async () => (await import('./commands/presence.js')).presenceCommand(),
  api: async () => (await import('./commands/api.js')).apiCommand(),
  webhooks: async () => (await import('./commands/webhooks.js')).webhooksCommand(),
  console: async () => (await import('./commands/console.js')).consoleCommand(),
  token: async () => (await import('./commands/token.js')).tokenCommand(),
  publish: async () => (await import('./commands/publish.js')).publishCommand(),
  tail: async () => (await import('./commands/tail.js')).tailCommand(),
  rooms: async () => (await import('./commands/rooms.js')).roomsCommand(),
  explain: async () => (await import('./commands/explain.js')).explainCommand(),
  drain: async () => (await import('./commands/drain.js')).drainCommand(),
  revoke: async () => (await import('./commands/revoke.js')).revokeCommand(),
  block: async () => (await import('./commands/block.js')).blockCommand(),
  who: async () => (await import('./commands/who.js')).whoCommand(),
  doctor: async () => (await import('./commands/doctor.js')).doctorCommand(),
  config: async () => (await import('./commands/config.js')).configCommand(),
};
/** They continue to serve when the reader of their log has gone. */
const SERVERS: ReadonlySet<string | undefined> = new Set(['start', 'edge', 'presence', 'api', 'webhooks', 'console']);

const program = new Command('hubbub')
  .description('Rooms, presence and live updates over WebSockets, on one process or many.')
  .version(VERSION, '--version', 'print the version')
  .addHelpText(
    'after',
    `
Settings come from HUBBUB_* variables and from the file that HUBBUB_CONFIG names; docs/settings.md has them all.

Try it:
  $ hubbub start                              everything in one process, no Redis
  $ hubbub token --user u1 --name One         a token to connect with

A cluster:
  $ export HUBBUB_REDIS_URL=redis://127.0.0.1:6379 HUBBUB_JWT_SECRET=…
  $ hubbub presence &
  $ HUBBUB_PORT=9001 HUBBUB_ADMIN_PORT=9101 hubbub edge &
  $ HUBBUB_PORT=9002 HUBBUB_ADMIN_PORT=9102 hubbub edge

Exit codes:
  0   done
  1   failed: the command had no effect
  2   wrong use: an argument or an option is missing, unknown or not valid
  78  the configuration is wrong; every problem is named`,
  );

const [, , name = '', word = '-'] = process.argv;
const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
// All commands for the help and for an unknown name.
for (const each of load === undefined ? Object.values(COMMANDS) : [load]) program.addCommand(await each());
reportUsage(program);
// `hubbub webhooks` serves, and the commands below it do not.
if (!SERVERS.has(name) || !word.startsWith('-')) endWithReader();
try {
  await program.parseAsync();
} catch (error) {
  // Commander has printed the help or the version.
  if (!(error instanceof CommanderError)) printNote(`hubbub: ${error instanceof Error ? error.message : error}`);
  // A connection that is still open must not keep a failed start alive.
  process.exit(exitCodeOf(error));
}
