/** The member of a presence channel, and the user of a sign-in: JSON in a signed text. */
import { HubbubError, isPlainObject, isUserId, type Payload, readUserName, utf8Length } from '@hubbub/protocol';
import type { GrantedMember } from '../admission/rights.js';
import { LimitExceeded } from '../limits/limit-exceeded.js';
import type { SignedInUser } from './connections.js';

const INFO_MAX_BYTES = 1024;
/** As Pusher limits it. */
const WATCHLIST_MAX_USERS = 100;

/**
 * @param channelData of the subscription; absent: the user who has signed in
 * @throws {HubbubError} `INVALID_PAYLOAD`, `UNAUTHORIZED`
 */
export function memberOf(channelData: string | undefined, signedIn: SignedInUser | undefined): GrantedMember {
  if (channelData === undefined) {
    if (signedIn === undefined)
      throw new HubbubError('UNAUTHORIZED', 'channel_data: required unless you sign in first.');
    return member(signedIn.id, signedIn.info);
  }
  const { user_id: id, user_info: info } = parsedObject('channel_data', channelData);
  return member(idOf('channel_data.user_id', id), info);
}

/** @throws {HubbubError} `INVALID_PAYLOAD`; `ROOM_LIMIT` for a watchlist that is too long */
export function userOf(userData: string): SignedInUser {
  const { id, user_info: info, watchlist } = parsedObject('user_data', userData);
  return { id: idOf('user_data.id', id), info, watchlist: watchlistOf(watchlist) };
}

function watchlistOf(ids: unknown = []): readonly string[] {
  if (!Array.isArray(ids))
    throw new HubbubError('INVALID_PAYLOAD', 'user_data.watchlist: expected a list of user ids.');
  if (ids.length > WATCHLIST_MAX_USERS) {
    throw new LimitExceeded('watchlist', 'ROOM_LIMIT', `A watchlist can have ${WATCHLIST_MAX_USERS} users.`);
  }
  return [...new Set(ids.map(id => idOf('user_data.watchlist', id)))];
}

/** Numbers are as good as texts: clients look members up in an object. */
function idOf(field: string, value: unknown): string {
  const id = typeof value === 'number' ? String(value) : value;
  if (isUserId(id)) return id;
  throw new HubbubError('INVALID_PAYLOAD', `${field}: expected 1 to 128 bytes without control characters and *.`);
}

function member(id: string, info: unknown = null): GrantedMember {
  if (utf8Length(JSON.stringify(info)) > INFO_MAX_BYTES) {
    throw new HubbubError('INVALID_PAYLOAD', `user_info: expected at most ${INFO_MAX_BYTES} bytes.`);
  }
  const named = isPlainObject(info) ? readUserName(info.name) : undefined;
  const name = named !== undefined && 'name' in named ? named.name : id;
  return { user: { id, name }, status: { user_info: info } };
}

function parsedObject(field: string, text: string): Payload {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Not JSON: answered like every other form.
  }
  if (isPlainObject(value)) return value;
  throw new HubbubError('INVALID_PAYLOAD', `${field}: expected text that holds a JSON object.`);
}
