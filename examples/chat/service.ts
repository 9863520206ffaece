/** Chat: the hub does nearly all of it. The service signs people in and keeps the list of rooms. */
import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { type Example, HttpProblem, type ServiceParts, slugOf } from '../service/example.js';

const DAY_MS = 86_400_000;
const NAME_MAX = 40;
const TOPIC_MAX = 120;
const ROOMS_MAX = 50;
const LIST = 'rooms';

const signIn = z.strictObject({
  name: z.string().trim().min(1).max(NAME_MAX),
  /** The key by which a browser is the same person again. */
  key: z
    .string()
    .regex(/^[\w-]{16,64}$/)
    .optional(),
});
const newRoom = z.strictObject({
  name: z.string().trim().min(1).max(NAME_MAX),
  topic: z.string().trim().max(TOPIC_MAX).default(''),
});

interface ListedRoom {
  /** Its name in frames, such as `chat:general`. */
  readonly id: string;
  readonly name: string;
  readonly topic: string;
}

/** A type and not an interface: documents are records, which interfaces are not. */
type RoomList = { readonly rooms: readonly ListedRoom[] };

const FIRST_ROOMS: RoomList = {
  rooms: [
    { id: 'chat:general', name: 'General', topic: 'Everything that has no room of its own' },
    { id: 'chat:coffee', name: 'Coffee', topic: 'Anything but work' },
    { id: 'chat:help', name: 'Help', topic: 'Ask, and somebody answers' },
  ],
};

export const chat: Example = { name: 'chat', title: 'Chat', stateTtlMs: DAY_MS, start: startChat };

function startChat({ hubbub, mint, documents, http }: ServiceParts): void {
  // The service stores nothing about a person: the key gives the same person at every instance.
  http.post('/api/sign-in', request => {
    const { name, key = randomBytes(16).toString('base64url') } = signIn.parse(request.body);
    const user = { id: `u-${hashOf(key).slice(0, 16)}`, name };
    return { token: mint.session({ user: user.id, name }), user, key };
  });

  // An update that changes nothing extends the life of the list.
  http.get('/api/rooms', () => documents.update<RoomList>(LIST, (list = FIRST_ROOMS) => list));

  http.post('/api/rooms', async request => {
    const { name, topic } = newRoom.parse(request.body);
    const id = `chat:${slugOf(name) || hashOf(name).slice(0, 12)}`;
    const list = await documents.update<RoomList>(LIST, before => withRoom(before, { id, name, topic }));
    const room = list?.rooms.find(listed => listed.id === id);
    await hubbub.publishToAll({ type: 'room_listed', payload: { room } });
    return { room };
  });

  // The same answer as at an edge, for pages of another origin, which edges do not serve.
  http.get('/ws/online', async () => ({ online: await hubbub.presence.online() }));
}

/** Adds a room to the list. An existing room stays unchanged. @throws {HttpProblem} 409 */
function withRoom({ rooms }: RoomList = FIRST_ROOMS, wanted: ListedRoom): RoomList {
  if (rooms.some(({ id }) => id === wanted.id)) return { rooms };
  if (rooms.length >= ROOMS_MAX) throw new HttpProblem(409, `there are ${ROOMS_MAX} rooms already`);
  return { rooms: [...rooms, wanted] };
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
