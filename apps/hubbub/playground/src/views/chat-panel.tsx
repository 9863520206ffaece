/** The chat: the rooms as tabs, the selected room, and the composer. */
import { useEffect, useRef } from 'preact/hooks';
import type { Playground } from '../playground.js';
import type { ChatRoom } from '../state/chat-room.js';
import { peopleWords, typingWords } from '../words.js';
import { Button } from './button.js';
import { MessageLog } from './message-log.js';
import { RoomTabs } from './room-tabs.js';

const STATE_WORDS = { left: 'not joined', joining: 'joining…', joined: '', rejoining: 'joining again…' } as const;

export function ChatPanel({ playground }: { readonly playground: Playground }) {
  const { chat } = playground;
  const composer = useRef<HTMLTextAreaElement>(null);
  const focusComposer = (): void => composer.current?.focus();
  return (
    <section class="panel chat" aria-label="Chat">
      <RoomTabs playground={playground} focusComposer={focusComposer} />
      {/* Hidden live regions stay silent when the tab changes. */}
      {[...chat.rooms.values()].map(room => (
        <RoomPanel key={room.name} playground={playground} room={room} focusComposer={focusComposer} />
      ))}
      {chat.active === undefined ? (
        <p class="empty" data-testid="no-room">
          Join a room to begin.
        </p>
      ) : (
        <Composer playground={playground} room={chat.active} input={composer} />
      )}
    </section>
  );
}

interface RoomPanelProps {
  readonly playground: Playground;
  readonly room: ChatRoom;
  readonly focusComposer: () => void;
}

function RoomPanel({ playground, room, focusComposer }: RoomPanelProps) {
  const { activeRoom, connection } = playground.chat;
  const { name, state, error } = room;
  // Without a connection no room is joined: the connection's own text is enough.
  const isConnected = connection.state === 'open' || connection.state === 'restoring';
  return (
    <div
      class="room-panel"
      role="tabpanel"
      id={`panel-${name}`}
      aria-labelledby={`tab-${name}`}
      data-testid="room-panel"
      data-room={name}
      data-state={state}
      hidden={activeRoom !== name}
    >
      <header class="room-head row">
        <h2>{name}</h2>
        <span class="room-facts" data-testid="room-facts">
          {STATE_WORDS[state] || peopleWords(room.count)}
        </span>
        <Button testId="leave-room" onClick={() => playground.leaveRoom(name)}>
          Leave
        </Button>
      </header>
      {state === 'left' && error !== undefined && isConnected && (
        <div class="notice row" role="alert" data-testid="room-problem">
          <span>You are not in this room. {error.message}</span>
          <code data-testid="room-problem-code">{error.code}</code>
          <Button testId="rejoin" onClick={() => playground.enterRoom(name)}>
            Try again
          </Button>
        </div>
      )}
      <MessageLog
        room={room}
        retry={message => {
          focusComposer(); // The button disappears under the focus.
          void playground.deliver(room, message);
        }}
      />
    </div>
  );
}

interface ComposerProps {
  readonly playground: Playground;
  readonly room: ChatRoom;
  readonly input: { current: HTMLTextAreaElement | null };
}

/** Each room keeps its draft. */
function Composer({ playground, room, input }: ComposerProps) {
  useEffect(() => input.current?.focus(), [input]);
  const send = (event: Event): void => {
    event.preventDefault();
    input.current?.focus();
    const text = room.draft.trim();
    if (text === '') return;
    room.draft = '';
    playground.say(room, text);
  };
  const typed = (text: string): void => {
    room.draft = text;
    if (text.trim() === '') playground.stopTyping();
    else playground.typed(room);
  };
  return (
    <form class="composer" data-testid="composer" onSubmit={send}>
      <p class="typists" aria-live="polite" data-testid="typists">
        {typingWords(room.typists)}
      </p>
      <textarea
        ref={input}
        rows={1}
        aria-label="Message"
        aria-describedby="composer-hint"
        placeholder={`Write to ${room.name}`}
        data-testid="message-input"
        value={room.draft}
        onInput={event => typed(event.currentTarget.value)}
        onBlur={() => playground.stopTyping()}
        onKeyDown={event => {
          if (event.key === 'Escape') playground.stopTyping();
          // While an input method composes, Enter belongs to it.
          if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) send(event);
        }}
      />
      <button type="submit" class="primary" data-testid="send">
        Send
      </button>
      <p id="composer-hint" class="hint">
        Enter sends, Shift + Enter begins a new line
      </p>
    </form>
  );
}
