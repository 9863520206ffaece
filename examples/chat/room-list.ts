/** The list of rooms as a document, and how a room comes into it. Pure: the service gives it to `documents.update`. */
import { createHash } from 'node:crypto';

export interface ListedRoom {
  /** Its name in frames, such as `chat:general`. */
  readonly id: string;
  readonly name: string;
  readonly topic: string;
}

/** A type and not an interface: documents are records, which interfaces are not. */
export type RoomList = { readonly rooms: readonly ListedRoom[] };

export const ROOMS_MAX = 50;

const FIRST_ROOMS: readonly ListedRoom[] = [
  { id: 'chat:general', name: 'General', topic: 'Everything that has no room of its own' },
  { id: 'chat:coffee', name: 'Coffee', topic: 'Anything but work' },
  { id: 'chat:help', name: 'Help', topic: 'Ask, and somebody answers' },
];

/** The answer to a request for one room too many. */
export class TooManyRooms extends Error {
  readonly statusCode = 409;

  constructor() {
    super(`there are ${ROOMS_MAX} rooms already`);
  }
}

export function withFirstRooms(list: RoomList | undefined): RoomList {
  return list ?? { rooms: FIRST_ROOMS };
}

/** A room that is there stays as it is: who asks twice, or second, gets that one. */
export function withRoom(list: RoomList | undefined, wanted: ListedRoom): RoomList {
  const { rooms } = withFirstRooms(list);
  if (rooms.some(({ id }) => id === wanted.id)) return { rooms };
  if (rooms.length >= ROOMS_MAX) throw new TooManyRooms();
  return { rooms: [...rooms, wanted] };
}

/** `Über uns!` is `chat:uber-uns`; a name without Latin letters or digits gets a room name that is made of its hash. */
export function roomIdOf(name: string): string {
  const words = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return `chat:${words === '' ? createHash('sha256').update(name).digest('hex').slice(0, 12) : words}`;
}
