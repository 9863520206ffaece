/** Queries presence over HTTP, at the address and with the key of the settings. */

import { type Config, ConfigError, withoutCredentials } from '@hubbub/config';
import { trimEndOf } from '@hubbub/protocol';
import { CommandFailure, EXIT } from './command-line.js';

export interface PresenceAddress {
  readonly url: string;
  readonly apiKey: string;
}

const TIMEOUT_MS = 5000;

/** For the help of commands that ask presence: the settings, and the beginning of an example; the command follows it. */
export const PRESENCE_HELP = `
HUBBUB_PRESENCE_URL is the admin address of a presence process, or of hubbub start; the first of
HUBBUB_PRESENCE_API_KEYS is used, which must be set there, too.

Example:
  $ export HUBBUB_PRESENCE_URL=http://127.0.0.1:9100 HUBBUB_PRESENCE_API_KEYS=a-key`;

/** @throws {ConfigError} naming what is missing. */
export function presenceOf({ presenceUrl, presenceApiKeys: [apiKey] }: Config): PresenceAddress {
  const problems: string[] = [];
  if (presenceUrl === undefined) {
    problems.push(
      'HUBBUB_PRESENCE_URL: required here, the admin address of a presence process, such as http://127.0.0.1:8081',
    );
  }
  if (apiKey === undefined) {
    problems.push(
      'HUBBUB_PRESENCE_API_KEYS: required here, the first of them is used; presence needs the same setting',
    );
  }
  if (presenceUrl === undefined || apiKey === undefined) throw new ConfigError(problems);
  return { url: presenceUrl, apiKey };
}

/** @throws {CommandFailure} in one line, with what to do. */
export async function askPresence(
  { url, apiKey }: PresenceAddress,
  path: string,
  query: Readonly<Record<string, string | undefined>> = {},
): Promise<Readonly<Record<string, unknown>>> {
  const target = new URL(`${trimEndOf(url, '/')}${path}`);
  for (const [name, value] of Object.entries(query)) if (value !== undefined) target.searchParams.set(name, value);
  let status: number;
  let answer: Record<string, unknown>;
  try {
    const headers = { authorization: `Bearer ${apiKey}` };
    const response = await fetch(target, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
    status = response.status;
    answer = Object(await response.json());
  } catch {
    // Why exactly (refused, too slow, no JSON) does not change what to do.
    throw new CommandFailure(
      `Presence does not answer at ${withoutCredentials(url)}; is a presence process running there, and is HUBBUB_PRESENCE_URL its admin address?`,
    );
  }
  if (status === 200) return answer;
  if (status === 401) {
    throw new CommandFailure(
      `Presence at ${withoutCredentials(url)} refuses the key; set the first of HUBBUB_PRESENCE_API_KEYS to one of its own`,
    );
  }
  throw new CommandFailure(
    `Presence answers ${status}: ${String(answer.message)}`,
    status === 400 ? EXIT.usage : EXIT.failed,
  );
}

type Item = Readonly<Record<string, unknown>>;

const PAGE = '1000';

/**
 * Reads a whole list, page by page.
 * @param list name of the list in the answers
 */
export async function allPages(
  presence: PresenceAddress,
  path: string,
  list: string,
  query: Readonly<Record<string, string | undefined>> = {},
): Promise<{ items: readonly Item[]; first: Item }> {
  const items: Item[] = [];
  let first: Item | undefined;
  let cursor: string | undefined;
  do {
    const page = await askPresence(presence, path, { ...query, limit: PAGE, cursor });
    first ??= page;
    const entries = page[list];
    if (Array.isArray(entries)) items.push(...entries.map(entry => Object(entry)));
    cursor = typeof page.next === 'string' ? page.next : undefined;
  } while (cursor !== undefined);
  return { items, first };
}
