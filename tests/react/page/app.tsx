/** The provider of the client, and below it one room at a time, or none. */
import { HubbubProvider, useConnection } from '@hubbub/react';
import { useState } from 'react';
import { Chat } from './chat.js';
import { client, firstRoom } from './client.js';

export function App() {
  return (
    <HubbubProvider client={client}>
      <RoomSelection />
    </HubbubProvider>
  );
}

function RoomSelection() {
  const { state, transport, session, error } = useConnection();
  const [name, setName] = useState(firstRoom);
  return (
    <>
      <p data-connection={state} data-transport={transport}>
        {session?.user.name ?? error?.code}
      </p>
      <label>
        Room <input value={name} onChange={event => setName(event.target.value)} />
      </label>
      {name !== '' && <Chat name={name} />}
    </>
  );
}
