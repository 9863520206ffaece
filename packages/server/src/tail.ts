/** Follows what is published to a room, a user or everybody, without joining. */
import type { Address, Channels } from '@hubbub/protocol';
import type { ChannelListeners } from './channel-listeners.js';
import { roomName, userId, wrong } from './checks.js';
import { decodeTailedMessage, type TailedMessage } from './tailed-message.js';

/** Exactly one of them. */
export interface TailQuery {
  readonly room?: string;
  readonly user?: string;
  readonly all?: true;
}

export interface TailListener {
  /** @param message undefined for bytes that an edge would drop @param size in bytes, with its envelope */
  message(message: TailedMessage | undefined, size: number): void;
  /** Redis was away for that time: messages of it are missing. */
  gap?(durationMs: number): void;
}

/** @throws {HubbubError} `INVALID_ROOM`, `INVALID_FORMAT`, `UNAVAILABLE` */
export async function tail(
  listeners: ChannelListeners,
  channels: Channels,
  query: TailQuery,
  listener: TailListener,
): Promise<() => void> {
  const { channel, to } = addressOf(channels, query);
  return await listeners.listen(
    channel,
    bytes => listener.message(decodeTailedMessage(to, bytes), bytes.length),
    durationMs => listener.gap?.(durationMs),
  );
}

function addressOf(channels: Channels, { room, user, all }: TailQuery): { channel: string; to: Address } {
  if ([room, user, all].filter(one => one !== undefined).length !== 1) {
    throw wrong('query', 'expected exactly one of room, user and all');
  }
  if (room !== undefined) return { channel: channels.room(roomName(room)), to: { kind: 'room', room } };
  if (user !== undefined) return { channel: channels.user(userId('user', user)), to: { kind: 'user', userId: user } };
  return { channel: channels.broadcast, to: { kind: 'broadcast' } };
}
