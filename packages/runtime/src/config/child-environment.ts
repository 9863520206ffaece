/** What a process hands down to its children: settings travel as the variables they are read from. */
import { environmentName, type Settings } from './settings/settings.js';

/**
 * The environment of a child process: that of this one, with these settings in place. The child reads everything else
 * itself, the configuration file too: so a worker that is started later has what the file says then.
 *
 * @example fork(main, ['edge'], { env: childEnvironment({ port: 9001, sharedPort: true }) })
 */
export function childEnvironment(settings: Partial<Settings>): NodeJS.ProcessEnv {
  const variables = Object.entries(settings).map(([name, value]) => [environmentName(name), String(value)] as const);
  return { ...process.env, ...Object.fromEntries(variables) };
}
