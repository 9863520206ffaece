/** The environment that a process passes on: settings to its children, variables to native code. */
import { environmentName, type Settings } from './settings/settings.js';

/**
 * Returns the environment for a child process: that of this process, with these settings replaced. The child reads
 * everything else itself, including the configuration file. A later child gets the file's current content.
 *
 * @example fork(main, ['edge'], { env: childEnvironment({ port: 9001, sharedPort: true }) })
 */
export function childEnvironment(settings: Partial<Settings>): NodeJS.ProcessEnv {
  const variables = Object.entries(settings).map(([name, value]) => [environmentName(name), String(value)] as const);
  return { ...process.env, ...Object.fromEntries(variables) };
}

/**
 * Sets a variable that native code reads. Call it before that code is loaded.
 * @example setNativeVariable('UWS_HTTP_MAX_HEADERS_SIZE', '8192')
 */
export function setNativeVariable(name: string, value: string): void {
  process.env[name] = value;
}
