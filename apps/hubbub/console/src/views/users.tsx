/** A user: sessions, rooms, and the actions on the user. */
import { Action } from '../actions.js';
import { pathOf, type Session } from '../api.js';
import { Loaded, useResource } from '../resource.js';
import { hrefOf } from '../route.js';
import { NameForm } from './name-form.js';
import { Table } from './table.js';

export function UserForm() {
  return <NameForm label="User id" list="users" testId="open-user" action="Open" />;
}

interface User {
  readonly online: boolean;
  readonly sessions: ReadonlyArray<{
    readonly session_id: string;
    readonly node: string;
    readonly rooms: readonly string[];
  }>;
}

export function UserView({ user, session }: { readonly user: string; readonly session: Session }) {
  const presence = useResource<User>(pathOf('users', user));
  return (
    <>
      <div class="row">
        <button type="button" class="quiet small" data-testid="reload" onClick={presence.reload}>
          Load again
        </button>
        <a href={hrefOf('explain', user)} data-testid="explain-user">
          What happened?
        </a>
        <Action
          session={session}
          operation="control"
          label="Disconnect"
          testId="disconnect-user"
          effect={`Ends every session of ${user}. Clients do not reconnect by themselves; tokens stay valid.`}
          path={`${pathOf('users', user)}/disconnect`}
          takesReason
          done={presence.reload}
        />
        <Action
          session={session}
          operation="revoke"
          label="Revoke tokens"
          testId="revoke-tokens"
          effect={`Ends every session of ${user}, and refuses all tokens that were issued to the user up to now.`}
          path={`${pathOf('users', user)}/revoke`}
          done={presence.reload}
        />
      </div>
      <Loaded resource={presence}>
        {({ online, sessions }) => (
          <>
            <p class="hint" data-testid="online">
              {online ? 'Online' : 'Offline'}
            </p>
            <Table
              testId="sessions"
              label="Sessions"
              columns={['Session', 'Edge', 'Rooms']}
              empty="The user has no session."
              rows={sessions.map(({ session_id, node, rooms }) => ({
                key: session_id,
                cells: [
                  <a key="session" href={hrefOf('explain', session_id)}>
                    {session_id}
                  </a>,
                  node,
                  rooms.map(room => (
                    <a key={room} class="chip" href={hrefOf('rooms', room)}>
                      {room}
                    </a>
                  )),
                ],
              }))}
            />
          </>
        )}
      </Loaded>
    </>
  );
}
