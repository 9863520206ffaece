#!/usr/bin/env node
/** The command line: `hubbub start | edge | presence | api | token`. */
import { ConfigError } from '@hubbub/runtime';
import { Command } from 'commander';
import { apiCommand } from './commands/api.js';
import { edgeCommand } from './commands/edge.js';
import { presenceCommand } from './commands/presence.js';
import { startCommand } from './commands/start.js';
import { tokenCommand } from './commands/token.js';

/** sysexits.h: the configuration is wrong, trying again does not help. */
const EXIT_CONFIG = 78;

const program = new Command('hubbub')
  .description('Rooms, presence and live updates over WebSockets, on one process or many.')
  .addHelpText(
    'after',
    `
Settings come from HUBBUB_* variables and from the file that HUBBUB_CONFIG names.

Try it:
  $ hubbub start                              everything in one process, no Redis
  $ hubbub token --user u1 --name One         a token to connect with

A cluster:
  $ export HUBBUB_REDIS_URL=redis://127.0.0.1:6379 HUBBUB_JWT_SECRET=…
  $ hubbub presence &
  $ HUBBUB_PORT=9001 HUBBUB_ADMIN_PORT=9101 hubbub edge &
  $ HUBBUB_PORT=9002 HUBBUB_ADMIN_PORT=9102 hubbub edge`,
  )
  .addCommand(startCommand())
  .addCommand(edgeCommand())
  .addCommand(presenceCommand())
  .addCommand(apiCommand())
  .addCommand(tokenCommand());

try {
  await program.parseAsync();
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`hubbub: ${message}\n`);
  // What was opened on the way, such as a connection that Redis does not answer, must not keep a failed start alive.
  process.exit(error instanceof ConfigError ? EXIT_CONFIG : 1);
}
