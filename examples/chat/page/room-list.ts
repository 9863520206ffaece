/** The rooms there are, which of them this tab is in, and what is unread there. */
import { byId, element } from '../../page/dom.js';
import { ask } from '../../page/hub.js';
import { showList } from '../../page/keyed-list.js';
import type { Conversation } from './conversation.js';

/** As the service lists it. */
export interface ListedRoom {
  readonly id: string;
  readonly name: string;
  readonly topic: string;
}

const UNREAD_MAX = 99;

export class RoomList {
  rooms: readonly ListedRoom[] = [];

  /** @throws {Error} with words for people */
  async load(): Promise<void> {
    this.rooms = (await ask<{ rooms: readonly ListedRoom[] }>('GET', '/api/rooms')).rooms;
  }

  /** @throws {Error} with words for people */
  async create(name: string): Promise<ListedRoom> {
    const { room } = await ask<{ room: ListedRoom }>('POST', '/api/rooms', { name });
    this.add(room);
    return room;
  }

  add(room: ListedRoom): void {
    if (!this.rooms.some(({ id }) => id === room.id)) this.rooms = [...this.rooms, room];
  }

  show(joined: ReadonlyMap<string, Conversation>, active: string | undefined): void {
    const rooms = [...this.rooms].sort((a, b) => +joined.has(b.id) - +joined.has(a.id));
    showList(
      byId('rooms', HTMLUListElement),
      rooms.map(({ id, name, topic }) => {
        const conversation = joined.get(id);
        const unread = id === active && !document.hidden ? 0 : (conversation?.unread ?? 0);
        const isActive = id === active;
        return {
          key: id,
          shown: JSON.stringify([name, topic, unread, isActive, conversation === undefined]),
          make: () =>
            element(
              'li',
              {},
              element(
                'a',
                { href: `#${id}`, 'data-focus': 'room', 'data-room': id, ...(isActive && { 'aria-current': 'page' }) },
                element('span', { class: 'name' }, name, element('span', { class: 'muted small' }, topic)),
                conversation === undefined && element('span', { class: 'badge' }, 'Join'),
                unread > 0 &&
                  element(
                    'span',
                    { class: 'unread' },
                    unread > UNREAD_MAX ? `${UNREAD_MAX}+` : String(unread),
                    element('span', { class: 'visually-hidden' }, ' unread'),
                  ),
              ),
            ),
        };
      }),
    );
    const all = [...joined].reduce(
      (sum, [id, { unread }]) => sum + (id === active && !document.hidden ? 0 : unread),
      0,
    );
    document.title = all > 0 ? `(${all}) Chat` : 'Chat';
  }
}
