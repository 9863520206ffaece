#!/usr/bin/env node
/** The command line: puts the commands together, and says how each of them ends. */
import { Command, CommanderError } from 'commander';
import { apiCommand } from './commands/api.js';
import { configCommand } from './commands/config.js';
import { doctorCommand } from './commands/doctor.js';
import { edgeCommand } from './commands/edge.js';
import { presenceCommand } from './commands/presence.js';
import { publishCommand } from './commands/publish.js';
import { roomsCommand } from './commands/rooms.js';
import { startCommand } from './commands/start.js';
import { tailCommand } from './commands/tail.js';
import { tokenCommand } from './commands/token.js';
import { whoCommand } from './commands/who.js';
import { exitCodeOf } from './exit-codes.js';
import { endWithReader, printNote } from './printing.js';

const program = new Command('hubbub')
  .description('Rooms, presence and live updates over WebSockets, on one process or many.')
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
  1   failed: what was asked for did not happen
  2   wrong use: an argument or an option is missing, unknown or cannot be
  78  the configuration is wrong; every problem is named`,
  )
  .addCommand(startCommand())
  .addCommand(edgeCommand())
  .addCommand(presenceCommand())
  .addCommand(apiCommand())
  .addCommand(tokenCommand())
  .addCommand(publishCommand())
  .addCommand(tailCommand())
  .addCommand(roomsCommand())
  .addCommand(whoCommand())
  .addCommand(doctorCommand())
  .addCommand(configCommand());

tellUsage(program, 'hubbub');
endWithReader();
try {
  await program.parseAsync();
} catch (error) {
  // What commander refuses it has told.
  if (!(error instanceof CommanderError))
    printNote(`hubbub: ${error instanceof Error ? error.message : String(error)}`);
  // What was opened on the way, such as a connection that Redis does not answer, must not keep a failed start alive.
  process.exit(exitCodeOf(error));
}

/** Wrong use is told in one line that names the help which explains it. */
function tellUsage(command: Command, path: string): void {
  command
    .exitOverride()
    .showSuggestionAfterError(false)
    .configureOutput({
      outputError: message => printNote(`hubbub: ${message.trim().replace(/^error: /, '')}; see: ${path} --help`),
    });
  for (const own of command.commands) tellUsage(own, `${path} ${own.name()}`);
}
