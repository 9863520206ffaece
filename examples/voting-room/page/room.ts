/** A page's state of its room: first the service's answer, then frames of the hub; the newer one wins. */
import type { HubbubClient } from '@hubbub/client';
import { ask, hubClient } from '../../page/hub.js';

export interface RoomStatus {
  readonly room_id: string;
  readonly status: 'waiting' | 'started' | 'ended';
  readonly participants: readonly string[];
  readonly version: number;
  /** Once it has started. */
  readonly redirect_url?: string;
}

export interface RoomListener {
  /** With the number of people who have the room open. */
  changed(status: RoomStatus, present: number): void;
  /** Somebody wrote their name; `started` and the rest come with `changed`. */
  ready?(name: string): void;
  joined?(): void;
  started?(redirectUrl: string): void;
  /** The room is no more. */
  gone(why: string): void;
}

export interface FollowedRoom {
  /** The service's answer is at least as new as the frames. */
  take(status: RoomStatus): void;
}

/** Listens to the room, for as long as the page lives. `undefined` where it is gone. */
export async function followRoom(
  roomId: string,
  showConnection: (client: HubbubClient) => void,
  listener: RoomListener,
): Promise<FollowedRoom | undefined> {
  const path = `/api/rooms/${encodeURIComponent(roomId)}`;
  let status: RoomStatus;
  try {
    status = await ask<RoomStatus>('GET', `${path}/acquired`);
  } catch (error) {
    listener.gone(wordsOf(error));
    return undefined;
  }
  const client = await hubClient(`${path}/ws`);
  showConnection(client);
  const room = client.room(status.room_id);
  const show = (): void => listener.changed(status, room.roster.count);
  const take = (next: RoomStatus): void => {
    if (next.version < status.version) return; // Two services may announce in either order.
    status = next;
    show();
  };
  room.on('room_status', ({ payload }) => {
    if (isStatus(payload)) take(payload);
  });
  room.on('participant_joined', () => listener.joined?.());
  room.on('participant_ready', ({ payload }) => listener.ready?.(String(payload?.message)));
  room.on('voting_started', ({ payload }) => listener.started?.(String(payload?.redirect_url)));
  room.on('room_closed', ({ payload }) => {
    client.close();
    const reason = payload !== undefined && 'reason' in payload ? payload.reason : 'the room was closed';
    listener.gone(`You were in it until now, and then ${reason}.`);
  });
  room.roster.onChange(show);
  // Between the first answer and the first frame something may have changed, or while this page was away for too long.
  client.on('state', ({ state }) => {
    if (state !== 'open') return;
    ask<RoomStatus>('GET', `${path}/acquired`).then(take, error => {
      if (!isGone(error)) return; // The service is restarting: it announces its return.
      client.close();
      listener.gone(wordsOf(error));
    });
  });
  show();
  client.connect().catch(() => {}); // The badge shows it.
  return { take };
}

function isStatus(payload: unknown): payload is RoomStatus {
  if (typeof payload !== 'object' || payload === null) return false;
  return (
    'status' in payload && 'version' in payload && 'participants' in payload && Array.isArray(payload.participants)
  );
}

function isGone(error: unknown): boolean {
  return error instanceof Error && error.message === 'unknown room';
}

export function wordsOf(error: unknown): string {
  if (isGone(error)) return 'Nobody was in it for a while, or somebody closed it. Rooms without people are forgotten.';
  return error instanceof Error ? error.message : String(error);
}

/** An address of this service, at the same edge. A `redirect_url` that leads elsewhere is not followed. */
export function sameEdge(path: string): string {
  const address = new URL(path, location.origin);
  if (address.origin !== location.origin)
    throw new Error(`The room leads to ${address.origin}, which is not this service.`);
  const edge = new URLSearchParams(location.search).get('edge');
  if (edge !== null) address.searchParams.set('edge', edge);
  return address.href;
}
