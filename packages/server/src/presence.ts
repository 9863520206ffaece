/** Asks presence: who is in a room, where a user is, how many are online. Over HTTP, with an API key. */
import { HubbubError, isErrorCode, trimEndOf } from '@hubbub/protocol';
import { type CallOptions, checkTimeout } from './calls.js';
import { fieldsOf, roomName, userId, wholeNumber, wrong } from './checks.js';

export interface PresenceOptions {
  /** Admin address of a presence process, such as `http://127.0.0.1:8081`; a balancer's, where several run. */
  readonly url: string;
  /** One of HUBBUB_PRESENCE_API_KEYS. */
  readonly apiKey: string;
  /** Default 5,000. */
  readonly timeoutMs?: number;
}

export interface RosterPage {
  /** Users in the room, exact. */
  readonly count: number;
  /** Counts the changes of the roster. */
  readonly version: number;
  readonly users: readonly RosterMember[];
  /** There are more: ask with `cursor`. */
  readonly next?: string;
}

export interface RosterMember {
  readonly id: string;
  readonly name: string;
  /** False for members that are kept while they are away. */
  readonly online: boolean;
  /** RFC 3339. */
  readonly last_seen?: string;
  readonly status?: string | Readonly<Record<string, unknown>>;
  /** Those that are in the room: where `publishToSession` and `addToRoom` find them. */
  readonly sessions: ReadonlyArray<{ readonly session_id: string; readonly node: string }>;
}

export interface UserPresence {
  readonly online: boolean;
  readonly sessions: ReadonlyArray<{
    readonly session_id: string;
    readonly node: string;
    readonly rooms: readonly string[];
  }>;
}

export interface RoomPage {
  readonly rooms: ReadonlyArray<{ readonly room_id: string; readonly count: number; readonly version: number }>;
  /** There are more: ask with `cursor`. */
  readonly next?: string;
}

export interface RoomQuery extends RosterQuery {
  /** The beginning of a room name, such as `chat:`. */
  readonly prefix?: string;
  /** Only rooms with at least that many users. */
  readonly minCount?: number;
}

export interface RosterQuery extends CallOptions {
  /** 1 to 1,000: the approximate size of a page. Default: that of presence. */
  readonly limit?: number;
  /** `next` of the page before. */
  readonly cursor?: string;
}

/** Every method throws {@link HubbubError}: `UNAVAILABLE` when presence does not answer, else the code of its answer. */
export interface PresenceQueries {
  /** A page of the members of a room. */
  roster(room: string, page?: RosterQuery): Promise<RosterPage>;
  /** A page of the rooms with at least one user. */
  rooms(query?: RoomQuery): Promise<RoomPage>;
  user(userId: string, options?: CallOptions): Promise<UserPresence>;
  /** Users online in the whole cluster. */
  online(options?: CallOptions): Promise<number>;
}

const TIMEOUT_MS = 5000;

/**
 * Without options every query is rejected with an error that names the missing option.
 * @throws {HubbubError} `INVALID_FORMAT` for an option that cannot be.
 */
export function createPresenceQueries(options: PresenceOptions | undefined): PresenceQueries {
  if (options !== undefined) checkOptions(options);
  const ask = async <Answer>(
    path: string,
    limits: CallOptions,
    query: Record<string, string | number | undefined> = {},
  ): Promise<Answer> => {
    if (options === undefined) {
      throw new HubbubError(
        'UNAVAILABLE',
        'Queries of presence need the option presence: { url, apiKey } of connectHubbub.',
      );
    }
    const url = new URL(`${trimEndOf(options.url, '/')}${path}`);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    return (await answerOf(url, options, fieldsOf('options', limits))) as Answer;
  };
  return {
    roster: async (room, page = {}) => {
      const { limit, cursor } = fieldsOf('page', page);
      return await ask(`/rooms/${encodeURIComponent(roomName(room))}/roster`, page, { limit, cursor });
    },
    rooms: async (query = {}) => {
      const { limit, cursor, prefix, minCount } = fieldsOf('query', query);
      return await ask('/rooms', query, { limit, cursor, prefix, min_count: minCount });
    },
    user: async (user, limits = {}) => await ask(`/users/${encodeURIComponent(userId('userId', user))}`, limits),
    online: async (limits = {}) => (await ask<{ online: number }>('/online', limits)).online,
  };
}

function checkOptions({ url, apiKey, timeoutMs = TIMEOUT_MS }: PresenceOptions): void {
  if (typeof url !== 'string' || !/^https?:\/\//.test(url) || !URL.canParse(url)) {
    throw wrong('presence.url', 'expected a URL such as http://127.0.0.1:8081');
  }
  if (typeof apiKey !== 'string' || !/^[\x21-\x7e]+$/.test(apiKey)) {
    throw wrong('presence.apiKey', 'expected one of HUBBUB_PRESENCE_API_KEYS');
  }
  wholeNumber('presence.timeoutMs', timeoutMs, 1, 600_000);
}

async function answerOf(url: URL, options: PresenceOptions, limits: CallOptions): Promise<unknown> {
  const { signal, timeoutMs = options.timeoutMs ?? TIMEOUT_MS } = limits;
  const timeout = AbortSignal.timeout(checkTimeout(timeoutMs));
  let status: number;
  let body: unknown;
  try {
    const headers = { authorization: `Bearer ${options.apiKey}` };
    const response = await fetch(url, { headers, signal: signal ? AbortSignal.any([signal, timeout]) : timeout });
    status = response.status;
    body = await response.json();
  } catch (cause) {
    signal?.throwIfAborted();
    throw new HubbubError('UNAVAILABLE', `Presence does not answer at ${url.origin}.`, { cause });
  }
  if (status === 200) return body;
  const { code, message } = (body ?? {}) as { code?: unknown; message?: unknown };
  throw new HubbubError(isErrorCode(code) ? code : 'UNAVAILABLE', `Presence answers ${status}: ${String(message)}`);
}
