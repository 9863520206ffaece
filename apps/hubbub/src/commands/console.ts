/** hubbub console: pages for operators, behind a key of the HTTP API. */
import type { AddressInfo } from 'node:net';
import { createRequestSources } from '@hubbub/config';
import { listenFailure } from '@hubbub/runtime';
import { createHttpServer } from '@hubbub/runtime/http';
import { Command } from 'commander';
import { registerConsole } from '../console/console-routes.js';
import { type ProcessParts, type RunningProcess, runProcess } from '../process.js';

export function consoleCommand(): Command {
  return new Command('console')
    .description(
      'Serves pages for operators: edges, rooms, users, events, dead letters, and what happened. Needs hubbub api.',
    )
    .addHelpText(
      'after',
      `
It listens on HUBBUB_CONSOLE_HOST and HUBBUB_CONSOLE_PORT (127.0.0.1:8083), and asks the HTTP API at
HUBBUB_CONSOLE_API_URL (http://127.0.0.1:8082). You sign in with a key of the API, which decides what you may do; the
API's log has every action. Put TLS before it where it is not on this machine.

Example:
  $ HUBBUB_ADMIN_PORT=9104 hubbub console   # then open http://127.0.0.1:8083/`,
    )
    .action(async () => {
      await runProcess('console', start);
    });
}

async function start({ config, log }: ProcessParts): Promise<RunningProcess> {
  const server = createHttpServer({
    hostProblem: createRequestSources(config).hostProblem,
    log,
    forceCloseConnections: true,
  });
  await registerConsole(server, { apiUrl: config.consoleApiUrl, isSecure: config.production });
  const address = { host: config.consoleHost, port: config.consolePort };
  await server.listen(address).catch((error: unknown) => {
    const settings = { hostSetting: 'HUBBUB_CONSOLE_HOST', portSetting: 'HUBBUB_CONSOLE_PORT' };
    throw listenFailure(error, { ...address, ...settings });
  });
  const { port } = server.server.address() as AddressInfo;
  return {
    port,
    readiness: () => ({ ready: true, checks: { console: 'serving' } }),
    close: async () => await server.close(),
  };
}
