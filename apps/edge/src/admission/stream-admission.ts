/** Admits readers of server-sent events: the same checks as of a WebSocket, for each room that the request names. */
import { HubbubError, isRoomName, type Position, readStreamPositions, STREAM_MAX_ROOMS } from '@hubbub/protocol';
import { LimitExceeded } from '../limits/limit-exceeded.js';
import { type AdmissionPolicy, type Admitted, assertSource, identify, type UpgradeRequest } from './admission.js';
import { continueWith } from './claims.js';
import type { Grant } from './rights.js';
import type { RequestedRoom, StreamRequest } from './stream-request.js';

/** As `admit`, for a request with `stream`. @throws {HubbubError} with a code of `REFUSAL_STATUS`; or rejects with it */
export function admitStream(
  request: UpgradeRequest & { readonly stream: StreamRequest },
  policy: AdmissionPolicy,
  maxRooms: number,
): Admitted | Promise<Admitted> {
  assertSource(request, policy);
  const { stream } = request;
  const rooms = checkedRooms(stream, Math.min(maxRooms, STREAM_MAX_ROOMS));
  const positions = namedPositions(stream);
  const room = rooms.length === 1 ? rooms[0]?.room : undefined;
  const sessionId = policy.nextSessionId();
  const { path, params } = request;
  return continueWith(identify(request, undefined, sessionId, policy), identity => {
    const { user, rights, address, expiresAtMs, token } = identity;
    const asked = policy.authorizer.ask({ action: 'connect', user, address, path, params, room });
    return continueWith<void, Admitted>(asked, () => {
      const grants = rooms.map(({ room, token }) => naming(room, () => policy.authorizeJoin(identity, room, token)));
      return continueWith(allOf(grants), granted => ({
        user,
        rights,
        address,
        expiresAtMs,
        token,
        sessionId,
        room,
        encoding: stream.wantsPresence ? 'sse_presence' : 'sse',
        subprotocol: undefined,
        since: undefined,
        grant: undefined,
        streamRooms: rooms.map((requested, at) => ({
          room: requested.room,
          since: positions[at],
          grant: granted[at],
        })),
      }));
    });
  });
}

type Granted = Grant | undefined | Promise<Grant | undefined>;

/** A final refusal names its room, which a reader of several rooms may leave out. */
function naming(room: string, authorize: () => Granted): Granted {
  const refused = (error: unknown): never => {
    if (!(error instanceof HubbubError) || error.retryable) throw error;
    throw new HubbubError(error.code, error.message, { cause: error, details: { ...error.details, room } });
  };
  try {
    const granted = authorize();
    return granted instanceof Promise ? granted.catch(refused) : granted;
  } catch (error) {
    return refused(error);
  }
}

function allOf(grants: readonly Granted[]) {
  const isKnown = (grant: Granted): grant is Grant | undefined => !(grant instanceof Promise);
  return grants.every(isKnown) ? grants : Promise.all(grants);
}

function checkedRooms({ rooms }: StreamRequest, max: number): readonly RequestedRoom[] {
  if (rooms.length > max) {
    throw new LimitExceeded('rooms', 'ROOM_LIMIT', `One request can name ${max} rooms; it names ${rooms.length}.`);
  }
  for (const { room } of rooms) {
    if (!isRoomName(room))
      throw new HubbubError('INVALID_ROOM', 'The path or the query has a room that is not a name.');
  }
  if (new Set(rooms.map(({ room }) => room)).size < rooms.length) {
    throw new HubbubError('INVALID_PAYLOAD', 'Each room may be named once.');
  }
  return rooms;
}

function namedPositions({ rooms, lastEventId }: StreamRequest): readonly (Position | undefined)[] {
  if (lastEventId === '') return rooms.map(() => undefined);
  const positions = readStreamPositions(lastEventId, rooms.length);
  if (positions !== undefined) return positions;
  throw new HubbubError('INVALID_PAYLOAD', 'The last event id is not one of a request with these rooms.');
}
