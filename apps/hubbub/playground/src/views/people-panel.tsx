/** The users in the selected room, and the rights of the own token. */
import { RIGHTS } from '@hubbub/protocol';
import type { Chat } from '../state/chat.js';
import { readTokenClaims } from '../token-claims.js';
import { Avatar } from './message-log.js';

export function PeoplePanel({ chat }: { readonly chat: Chat }) {
  const room = chat.active;
  const isJoined = room?.state === 'joined' || room?.state === 'rejoining';
  const users = isJoined ? room.users : [];
  const count = isJoined ? room.count : 0;
  return (
    <section class="panel people" aria-labelledby="people-title">
      <header class="panel-head row">
        <h2 id="people-title">People</h2>
        <span class="count" data-testid="roster-count">
          {count}
        </span>
      </header>
      <ul class="roster" data-testid="roster">
        {users.map(user => (
          <li key={user.id} class="row" data-testid="roster-user" data-user={user.id} data-away={user.online === false}>
            <Avatar user={user} />
            <span class="roster-name" title={`User id: ${user.id}`}>
              {user.name}
            </span>
            <span class="hint">{user.online === false ? 'away' : user.id === chat.me?.id ? 'you' : ''}</span>
          </li>
        ))}
      </ul>
      <p class="hint roster-more" data-testid="roster-more">
        {count > users.length && users.length > 0 && `and ${count - users.length} more`}
      </p>
      {chat.token !== undefined && <TokenRights token={chat.token} sessionId={chat.sessionId} />}
    </section>
  );
}

interface TokenRightsProps {
  readonly token: string;
  /** For `hubbub explain`. */
  readonly sessionId: string | undefined;
}

function TokenRights({ token, sessionId }: TokenRightsProps) {
  const claims = readTokenClaims(token);
  if (claims === undefined) return null;
  const { user, expiresAt, rooms = [['public rooms', RIGHTS]] } = claims;
  return (
    <details class="tool" data-testid="token">
      <summary>Your token and session</summary>
      <dl>
        <dt>User id</dt>
        <dd data-testid="token-user">{user}</dd>
        <dt>Session id</dt>
        <dd data-testid="session-id">{sessionId ?? 'not connected'}</dd>
        <dt>Valid until</dt>
        <dd data-testid="token-expires">{expiresAt === undefined ? 'no end' : expiresAt.toLocaleString()}</dd>
        {rooms.map(([pattern, rights]) => (
          <div key={pattern} data-testid="token-right" data-pattern={pattern}>
            <dt>
              Rooms <code>{pattern}</code>
            </dt>
            <dd>{rights.join(', ') || 'no right'}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
