/** A room: its users, its messages and gaps, its typists, and a draft. */
import { useMessages, useRoom, useRoster, useTyping } from '@hubbub/react';
import { useState } from 'react';

export function Chat({ name }: { readonly name: string }) {
  const { room, state, error, rejoin } = useRoom(name);
  const { users, count } = useRoster(room);
  const { items, hasEarlier, loadEarlier, send } = useMessages(room, { limit: 30, pageSize: 5 });
  const { typists, typed, stop } = useTyping(room);
  const [draft, setDraft] = useState('');
  return (
    <section aria-label={name} data-room={state}>
      <h1>Chat</h1>
      <p>{error?.code}</p>
      <button type="button" onClick={rejoin}>
        Join
      </button>
      <p data-count={count}>{users.map(user => user.name).join(', ')}</p>
      {hasEarlier && (
        <button type="button" onClick={loadEarlier}>
          Earlier
        </button>
      )}
      <ol>
        {items.map(item =>
          item.kind === 'gap' ? (
            <li key={item.key}>gap: {item.reason}</li>
          ) : (
            <li key={item.key} data-delivery={item.delivery}>
              {item.frame.sender?.name}: {String(item.frame.payload?.content)}
            </li>
          ),
        )}
      </ol>
      <p data-typists="">{typists.map(user => user.name).join(', ')}</p>
      <form
        onSubmit={event => {
          event.preventDefault();
          send({ content: draft });
          stop();
          setDraft('');
        }}
      >
        <label>
          Message{' '}
          <input
            value={draft}
            onChange={event => {
              setDraft(event.target.value);
              typed();
            }}
          />
        </label>
      </form>
    </section>
  );
}
