/** The rooms as tabs, and the field to join another. Arrow keys, Home and End select; Delete leaves. */
import { isRoomName } from '@hubbub/protocol';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Playground } from '../playground.js';
import { ROOM_NAME_RULE } from '../words.js';

interface RoomTabsProps {
  readonly playground: Playground;
  readonly focusComposer: () => void;
}

export function RoomTabs({ playground, focusComposer }: RoomTabsProps) {
  const { chat } = playground;
  const selected = useRef<HTMLButtonElement>(null);
  const isFocusPending = useRef(false);
  useEffect(() => selected.current?.scrollIntoView({ block: 'nearest', inline: 'nearest' }), [chat.activeRoom]);
  useEffect(() => {
    if (!isFocusPending.current) return;
    isFocusPending.current = false;
    selected.current?.focus();
  });
  const move = (event: KeyboardEvent): void => {
    const names = [...chat.rooms.keys()];
    const index = names.indexOf(chat.activeRoom ?? '');
    const target = {
      ArrowRight: names[(index + 1) % names.length],
      ArrowLeft: names.at(index - 1),
      Home: names[0],
      End: names.at(-1),
    }[event.key];
    if (event.key === 'Delete' && chat.activeRoom !== undefined) playground.leaveRoom(chat.activeRoom);
    else if (target !== undefined) playground.selectRoom(target);
    else return;
    event.preventDefault();
    isFocusPending.current = true;
  };
  return (
    <div class="rooms row">
      <div class="tabs row" role="tablist" aria-label="Rooms" data-testid="rooms" onKeyDown={move}>
        {[...chat.rooms.values()].map(({ name, state, unread }) => {
          const isSelected = chat.activeRoom === name;
          return (
            <button
              key={name}
              ref={isSelected ? selected : null}
              type="button"
              role="tab"
              class="tab row"
              id={`tab-${name}`}
              aria-controls={`panel-${name}`}
              aria-selected={isSelected}
              aria-label={unread > 0 ? `${name}, ${unread} unread` : name}
              tabIndex={isSelected ? 0 : -1}
              data-testid="room-tab"
              data-room={name}
              data-state={state}
              onClick={() => playground.selectRoom(name)}
            >
              <span class="tab-name">{name}</span>
              <span class="badge" data-testid="unread" data-room={name} hidden={unread === 0}>
                {unread > 99 ? '99+' : unread}
              </span>
            </button>
          );
        })}
      </div>
      <JoinForm playground={playground} focusComposer={focusComposer} />
    </div>
  );
}

function JoinForm({ playground, focusComposer }: RoomTabsProps) {
  const input = useRef<HTMLInputElement>(null);
  const [problem, setProblem] = useState('');
  const end = (): void => {
    if (input.current !== null) input.current.value = '';
    setProblem('');
    focusComposer();
  };
  const join = (event: Event) => {
    event.preventDefault();
    const name = input.current?.value.trim() ?? '';
    if (name === '') return input.current?.focus();
    if (!isRoomName(name)) return setProblem(`That is not a room name. ${ROOM_NAME_RULE}`);
    playground.enterRoom(name);
    end();
  };
  return (
    <>
      <form class="join row" data-testid="join-form" noValidate onSubmit={join}>
        <input
          ref={input}
          aria-label="Room to join"
          aria-invalid={problem !== ''}
          aria-describedby="join-problem"
          placeholder="Room"
          autocomplete="off"
          autoCapitalize="none"
          spellcheck={false}
          maxLength={128}
          data-testid="join-room"
          onInput={() => setProblem('')}
          onKeyDown={event => event.key === 'Escape' && end()}
        />
        <button type="submit" class="quiet" data-testid="join-button">
          Join
        </button>
      </form>
      <p id="join-problem" class="problem" role="alert" data-testid="join-problem">
        {problem}
      </p>
    </>
  );
}
