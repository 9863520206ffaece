/** The messages of a room. Stays at the newest message unless the reader has scrolled away. */
import type { Sender } from '@hubbub/client';
import { useMemo, useRef } from 'preact/hooks';
import type { ChatRoom, Delivery, Line, Message } from '../state/chat-room.js';
import { Button } from './button.js';
import { useStickToEnd } from './stick-to-end.js';

const DELIVERY_WORDS: Readonly<Record<Delivery, string>> = {
  pending: 'Sending…',
  acked: 'Sent',
  failed: 'Not sent.',
  received: '',
};

interface MessageLogProps {
  readonly room: ChatRoom;
  readonly retry: (message: Message) => void;
}

export function MessageLog({ room, retry }: MessageLogProps) {
  const log = useRef<HTMLDivElement>(null);
  const { hasNewer, toEnd } = useStickToEnd(log, room.entries.all);
  return (
    <div class="log-frame">
      <div
        ref={log}
        class="log"
        role="log"
        aria-live="polite"
        aria-label={`Messages in ${room.name}`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a list that scrolls must be reachable by keyboard.
        tabIndex={0}
        data-testid="messages"
      >
        {room.entries.all.map(entry =>
          entry.kind === 'line' ? (
            <LineView key={entry.key} line={entry} />
          ) : (
            <MessageView key={entry.key} message={entry} retry={retry} />
          ),
        )}
      </div>
      <button
        type="button"
        class="newer"
        data-testid="newer"
        hidden={!hasNewer}
        onClick={() => {
          toEnd();
          log.current?.focus();
        }}
      >
        Newer messages
      </button>
    </div>
  );
}

function LineView({ line }: { readonly line: Line }) {
  return (
    <p class="line" data-testid="line" title={line.at.toLocaleTimeString()}>
      {line.text}
    </p>
  );
}

function MessageView({ message, retry }: { readonly message: Message; readonly retry: MessageLogProps['retry'] }) {
  const { id, sender, own, text, at, continues, delivery, error } = message;
  // Only the delivery of a message changes.
  return useMemo(
    () => (
      <article
        class={`message${own ? ' own' : ''}${continues ? ' continues' : ''}`}
        data-testid="message"
        data-id={id}
        data-delivery={delivery}
      >
        {!own && <Avatar user={sender} />}
        <div class="message-body">
          <header class="message-head row">
            <span class="sender" data-testid="message-sender">
              {own ? 'You' : sender.name}
            </span>
            <time dateTime={at.toISOString()} title={at.toLocaleString()}>
              {at.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })}
            </time>
          </header>
          <p class="message-text" data-testid="message-text">
            {text}
          </p>
          <footer class="message-foot row">
            <span data-testid="message-delivery">
              {DELIVERY_WORDS[delivery]} {error?.message}
            </span>
            {error && (
              <>
                <code data-testid="message-error-code">{error.code}</code>
                <Button testId="retry" onClick={() => retry(message)}>
                  Try again
                </Button>
              </>
            )}
          </footer>
        </div>
      </article>
    ),
    [delivery, error],
  );
}

/** A colored initial; the color is the user's in every window. */
export function Avatar({ user: { id, name } }: { readonly user: Sender }) {
  let hue = 0;
  for (const character of id) hue = (hue * 31 + (character.codePointAt(0) ?? 0)) % 360;
  return (
    <span class="avatar" aria-hidden="true" style={{ '--hue': String(hue) }}>
      {[...name.trim()][0]?.toUpperCase() ?? '?'}
    </span>
  );
}
