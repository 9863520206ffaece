/** Chat: the hub itself does nearly all of it. This signs people in and keeps the list of rooms. */
import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Example, ServiceParts } from '../service/example.js';
import { type RoomList, roomIdOf, withFirstRooms, withRoom } from './room-list.js';

const DAY_MS = 86_400_000;
const NAME_MAX = 40;
const TOPIC_MAX = 120;
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

export const chat: Example = { name: 'chat', title: 'Chat', stateTtlMs: DAY_MS, start: startChat };

function startChat({ hubbub, mint, documents, http }: ServiceParts): void {
  // Nothing is kept of a person: the key identifies it, so signing in again, at any instance, gives the same one.
  http.post('/api/sign-in', request => {
    const { name, key = randomBytes(16).toString('base64url') } = signIn.parse(request.body);
    const user = { id: `u-${createHash('sha256').update(key).digest('hex').slice(0, 16)}`, name };
    return { token: mint.session({ user: user.id, name }), user, key };
  });

  // An update, although nothing changes: a list that is read stays.
  http.get('/api/rooms', () => documents.update<RoomList>(LIST, withFirstRooms));

  http.post('/api/rooms', async request => {
    const { name, topic } = newRoom.parse(request.body);
    const id = roomIdOf(name);
    const list = await documents.update<RoomList>(LIST, before => withRoom(before, { id, name, topic }));
    const room = list?.rooms.find(listed => listed.id === id);
    await hubbub.publishToAll({ type: 'room_listed', payload: { room } });
    return { room };
  });

  // The answer of the edges at this path, for pages of another origin, which edges do not serve.
  http.get('/ws/online', async () => ({ online: await hubbub.presence.online() }));
}
