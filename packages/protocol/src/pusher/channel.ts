/** Channels of the Pusher protocol, and their rooms: `presence-chat` of the app `1` is `pusher-1.presence:presence-chat`. */
import { isRoomName, namespaceOf } from '../room-name.js';

/** As the server SDKs of Pusher limit it; the room of such a name is never too long. */
export const CHANNEL_MAX_LENGTH = 200;

/** The features of a channel, which its name determines. */
export interface ChannelKind {
  /** Its subscriptions are signed. */
  readonly isPrivate: boolean;
  readonly isPresence: boolean;
  readonly isEncrypted: boolean;
  /** New subscribers get its last event. */
  readonly isCache: boolean;
  /** The id of the one user who gets its events. */
  readonly userId?: string;
}

/** The namespaces of an app's channels, by what follows its own name. */
export const CHANNEL_NAMESPACES = ['', '.presence', '.cache', '.presence-cache'] as const;
/** All of an app: its users have rooms for the events that they get, and for being online. */
export const APP_NAMESPACES = [...CHANNEL_NAMESPACES, '.user', '.online'] as const;
export type AppNamespace = (typeof APP_NAMESPACES)[number];

const USER_CHANNEL = '#server-to-user-';
const CHANNEL = /^[A-Za-z0-9_=@,.;-]+$/;
const CACHE = /^(?:private-encrypted-|private-|presence-)?cache-/;
const APP_NAMESPACE = /^pusher-[A-Za-z0-9_-]+(\.presence|\.cache|\.presence-cache|\.user|\.online)?$/;

/** The kind of a channel; `undefined` for a name that is not one. */
export function channelKind(channel: string): ChannelKind | undefined {
  if (channel.length > CHANNEL_MAX_LENGTH) return undefined;
  const userId = channel.startsWith(USER_CHANNEL) ? channel.slice(USER_CHANNEL.length) : '';
  if (userId === '' && !CHANNEL.test(channel)) return undefined;
  const isPresence = channel.startsWith('presence-');
  return {
    isPrivate: isPresence || channel.startsWith('private-'),
    isPresence,
    isEncrypted: channel.startsWith('private-encrypted-'),
    isCache: CACHE.test(channel),
    ...(userId !== '' && { userId }),
  };
}

/** The channel of a user's own events. */
export function userChannel(userId: string): string {
  return `${USER_CHANNEL}${userId}`;
}

/** @example appNamespace('1', '.cache') === 'pusher-1.cache' */
export function appNamespace(appId: string, kind: AppNamespace): string {
  return `pusher-${appId}${kind}`;
}

/** The room of a channel; `undefined` for a name that is not a channel, or too long for a room. */
export function roomOfChannel(appId: string, channel: string): string | undefined {
  const kind = channelKind(channel);
  if (kind === undefined) return undefined;
  return roomIn(appNamespace(appId, namespaceKind(kind)), kind.userId ?? channel);
}

/** The room that a user is in while it is signed in; `undefined` where the id is too long for a room. */
export function onlineRoom(appId: string, userId: string): string | undefined {
  return roomIn(appNamespace(appId, '.online'), userId);
}

function roomIn(namespace: string, name: string): string | undefined {
  const room = `${namespace}:${escapeName(name)}`;
  return isRoomName(room) ? room : undefined;
}

/** The channel of a room; the room's own name where no app has it. */
export function channelOfRoom(room: string): string {
  const kind = kindOfRoom(room);
  if (kind === undefined) return room;
  const name = unescapeName(room.slice(room.indexOf(':') + 1));
  return kind === '.user' ? userChannel(name) : name;
}

/** Whether the room belongs to a user: clients do not subscribe to it as a channel. */
export function isRoomOfUser(room: string): boolean {
  const kind = kindOfRoom(room);
  return kind === '.user' || kind === '.online';
}

/** The kind of the namespace of an app's room; `undefined` for every other room. */
export function kindOfRoom(room: string): AppNamespace | undefined {
  const namespace = APP_NAMESPACE.exec(namespaceOf(room));
  return namespace === null ? undefined : ((namespace[1] ?? '') as AppNamespace);
}

function namespaceKind({ userId, isPresence, isCache }: ChannelKind): AppNamespace {
  if (userId !== undefined) return '.user';
  if (isPresence) return isCache ? '.presence-cache' : '.presence';
  return isCache ? '.cache' : '';
}

/** Characters of channels that rooms cannot hold, and characters of rooms that channels cannot hold. */
const REPLACED: Readonly<Record<string, string>> = { ',': '+', ';': ':' };
const RESTORED: Readonly<Record<string, string>> = { '+': ',', ':': ';' };

/**
 * Writes a name as the rest of a room's name. `,` becomes `+` and `;` becomes `:`, so that no channel becomes longer. Every
 * other byte that a room cannot hold becomes `~` and two hexadecimal digits; only ids of users have such bytes. Different names
 * stay different, and the escaped beginning of a name is the beginning of the escaped name.
 */
export function escapeName(name: string): string {
  return name.replace(/[^A-Za-z0-9_=@.-]/gu, character => REPLACED[character] ?? escapeBytes(character));
}

function escapeBytes(character: string): string {
  return Array.from(new TextEncoder().encode(character), byte => `~${byte.toString(16).padStart(2, '0')}`).join('');
}

function unescapeName(name: string): string {
  if (!/[+:~]/.test(name)) return name;
  try {
    return decodeURIComponent(name.replace(/[+:]/g, replaced => RESTORED[replaced] ?? '').replaceAll('~', '%'));
  } catch {
    return name; // A room that a client of Hubbub named so: `escapeName` did not make it.
  }
}
