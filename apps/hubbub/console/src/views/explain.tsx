/** The account of a user, a session or a room, from every edge. */
import type { Explanation, RefusalAccount, SessionAccount } from '@hubbub/protocol/account';
import { Loaded, useResource } from '../resource.js';
import { hrefOf } from '../route.js';
import { NameForm } from './name-form.js';
import { Table } from './table.js';

export function ExplainForm() {
  return (
    <>
      <p class="hint">Every edge is asked once: about a user, a session, or a room of this name.</p>
      <NameForm label="Name" list="explain" testId="explain" action="Explain" />
    </>
  );
}

/** As the form of session ids, rooms and users has it: one question to the edges, not three. */
export function ExplanationView({ name }: { readonly name: string }) {
  const resource = useResource<Explanation>(`/explain?${new URLSearchParams({ name })}`);
  return (
    <>
      <button type="button" class="quiet small" data-testid="reload" onClick={resource.reload}>
        Ask again
      </button>
      <Loaded resource={resource}>
        {({ nodes, sessions, refusals, rooms }) => (
          <>
            {sessions.length + refusals.length + rooms.length === 0 && (
              <p class="empty" data-testid="nothing">
                No edge remembers {name}.
              </p>
            )}
            {sessions.map(session => (
              <SessionCard key={session.session_id} session={session} />
            ))}
            {refusals.length > 0 && <Refusals refusals={refusals} />}
            {rooms.map(room => (
              <section key={room.node} class="card account" data-testid="room-account">
                <h2>
                  Room <a href={hrefOf('rooms', room.room_id)}>{room.room_id}</a> on {room.node}
                </h2>
                <p>
                  Sessions: {room.session_count}
                  {room.offset !== undefined && `, at offset ${room.offset}`}
                </p>
                <Entries entries={room.entries} />
              </section>
            ))}
            <h2>Edges</h2>
            <Table
              testId="answers"
              label="Edges"
              columns={['Edge', 'Answer', 'Remembers since']}
              empty="No edge is running."
              rows={nodes.map(({ node, state, since, truncated }) => ({
                key: node,
                cells: [
                  node,
                  <span key="state" class={state === 'answered' ? 'good' : 'bad'}>
                    {ANSWERS[state]}
                    {truncated === true && ', a part is left out'}
                  </span>,
                  since === undefined ? '' : new Date(since).toLocaleString(),
                ],
              }))}
            />
          </>
        )}
      </Loaded>
    </>
  );
}

const ANSWERS = {
  answered: 'answered',
  busy: 'is asked too often',
  no_answer: 'did not answer: what it knew is missing',
} as const;

function SessionCard({ session }: { readonly session: SessionAccount }) {
  const { closed, user, node, rooms, last_frames } = session;
  return (
    <section class="card account" data-testid="session-account" data-session={session.session_id}>
      <h2>
        Session {session.session_id} <span class={closed === undefined ? 'good' : 'bad'}>{session.state}</span>
      </h2>
      <p>
        <a href={hrefOf('users', user.id)}>{user.id}</a> ({user.name}) on {node}, from {session.address ?? 'unknown'},{' '}
        {session.encoding}
      </p>
      <p class="hint">
        Connected {new Date(session.connected_at).toLocaleString()}
        {session.expires_at !== undefined && `, token until ${new Date(session.expires_at).toLocaleString()}`}
      </p>
      <Entries entries={session.entries} />
      {closed !== undefined && (
        <p data-testid="closed">
          Ended {new Date(closed.at).toLocaleString()}: {closed.code} {closed.cause} {closed.reason}
        </p>
      )}
      <p class="hint">
        Rooms: {rooms.join(', ') || 'none'}. Last frames: {last_frames.join(', ') || 'none'}.
        {closed === undefined && ` ${session.buffered_bytes} bytes wait for the client.`}
      </p>
    </section>
  );
}

function Entries({ entries }: { readonly entries: SessionAccount['entries'] }) {
  if (entries.length === 0) return null;
  return (
    <ul class="entries">
      {entries.map(({ at, event, room, type, code, limit, reason, count }) => (
        <li key={`${at} ${event} ${room} ${type} ${code}`} data-testid="entry">
          <time>{new Date(at).toLocaleTimeString()}</time> <b>{event.replaceAll('_', ' ')}</b>{' '}
          {[type, room, code, limit && `limit ${limit}`].filter(Boolean).join(' ')} {reason}
          {count > 1 && ` (${count} times)`}
        </li>
      ))}
    </ul>
  );
}

function Refusals({ refusals }: { readonly refusals: readonly RefusalAccount[] }) {
  return (
    <>
      <h2>Refused handshakes</h2>
      <Table
        testId="refusals"
        label="Refused handshakes"
        columns={['Time', 'Edge', 'User', 'Room', 'Code', 'Reason', 'Times']}
        empty=""
        rows={refusals.map(({ at, node, user_id, room, code, reason, count }) => ({
          key: `${at} ${node} ${user_id} ${room} ${code}`,
          cells: [new Date(at).toLocaleString(), node, user_id ?? '', room ?? '', code, reason, String(count)],
        }))}
      />
    </>
  );
}
