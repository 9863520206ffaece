/** The rooms, and one room: its roster, its messages as they travel, and the actions on it. */
import { useRef, useState } from 'preact/hooks';
import { Action } from '../actions.js';
import { pathOf, type Session } from '../api.js';
import { Loaded, useResource } from '../resource.js';
import { hrefOf } from '../route.js';
import { NameForm } from './name-form.js';
import { Table } from './table.js';
import { TailView } from './tail.js';

interface RoomList {
  readonly rooms: ReadonlyArray<{ readonly room_id: string; readonly count: number }>;
  readonly next?: string;
}

export function RoomsView() {
  const [prefix, setPrefix] = useState('');
  const [cursors, setCursors] = useState<readonly string[]>([]);
  const input = useRef<HTMLInputElement>(null);
  const query = new URLSearchParams({ limit: '100', ...(prefix !== '' && { prefix }) });
  const cursor = cursors.at(-1);
  if (cursor !== undefined) query.set('cursor', cursor);
  const rooms = useResource<RoomList>(`/rooms?${query}`);
  const filter = (event: Event): void => {
    event.preventDefault();
    setCursors([]);
    setPrefix(input.current?.value.trim() ?? '');
    rooms.reload();
  };
  return (
    <>
      <form class="row" onSubmit={filter}>
        <label class="row">
          <span>Begins with</span>
          <input ref={input} name="prefix" maxLength={128} data-testid="prefix" />
        </label>
        <button type="submit" class="quiet" data-testid="filter">
          Filter
        </button>
      </form>
      <NameForm label="Room" list="rooms" testId="open-room" action="Open" />
      <Loaded resource={rooms}>
        {({ rooms: list, next }) => (
          <>
            <Table
              testId="rooms"
              label="Rooms"
              columns={['Room', 'Users']}
              empty="No room has users."
              rows={list.map(({ room_id, count }) => ({
                key: room_id,
                cells: [
                  <a key="room" href={hrefOf('rooms', room_id)}>
                    {room_id}
                  </a>,
                  count.toLocaleString(),
                ],
              }))}
            />
            {next !== undefined && (
              <button type="button" class="quiet" data-testid="more" onClick={() => setCursors([...cursors, next])}>
                Next page
              </button>
            )}
          </>
        )}
      </Loaded>
    </>
  );
}

interface Roster {
  readonly count: number;
  readonly users: ReadonlyArray<{
    readonly id: string;
    readonly name: string;
    readonly online: boolean;
    readonly sessions: ReadonlyArray<{ readonly session_id: string; readonly node: string }>;
  }>;
  readonly next?: string;
}

export function RoomView({ room, session }: { readonly room: string; readonly session: Session }) {
  const roster = useResource<Roster>(`${pathOf('rooms', room)}/roster?limit=100`);
  return (
    <>
      <div class="row">
        <button type="button" class="quiet small" data-testid="reload" onClick={roster.reload}>
          Load again
        </button>
        <a href={hrefOf('explain', room)} data-testid="explain-room">
          What happened?
        </a>
        <Action
          session={session}
          operation="control"
          label="Close the room"
          testId="close-room"
          effect={`Removes everybody from ${room}. Users who may join can rejoin.`}
          path={`${pathOf('rooms', room)}/close`}
          takesReason
          done={roster.reload}
        />
      </div>
      <h2>Roster</h2>
      <Loaded resource={roster}>
        {({ users, count, next }) => (
          <>
            <p class="hint" data-testid="count">
              Users: {count.toLocaleString()}
              {next !== undefined && `, the first ${users.length} of them`}
            </p>
            <Table
              testId="roster"
              label="Members"
              columns={['User', 'Name', 'Sessions', 'Action']}
              empty="The room is empty."
              rows={users.map(user => ({
                key: user.id,
                cells: [
                  <a key="user" href={hrefOf('users', user.id)}>
                    {user.id}
                  </a>,
                  user.online ? user.name : `${user.name} (away)`,
                  user.sessions.map(({ session_id, node }) => `${session_id} on ${node}`).join(', '),
                  <Action
                    key="remove"
                    session={session}
                    operation="control"
                    label="Remove"
                    testId="remove-user"
                    effect={`Removes ${user.id} from ${room} with every session. A user who may join can rejoin.`}
                    path={`${pathOf('rooms', room, 'users', user.id)}/remove`}
                    takesReason
                    done={roster.reload}
                  />,
                ],
              }))}
            />
          </>
        )}
      </Loaded>
      <TailView room={room} />
    </>
  );
}
