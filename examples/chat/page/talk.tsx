/** The selected room: its messages with what is new and what is missing, the composer, and its people. */
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { useRedraw, useRoster, wordsOf } from '../../page/hub.js';
import {
  beginsGroup,
  Composer,
  focusComposer,
  LinkedText,
  MessageItem,
  MessageScroll,
  TypingLine,
} from '../../page/messages.js';
import { isWide, TalkHeader } from '../../page/panes.js';
import { useTypists } from '../../page/typing.js';
import { Avatar, toast } from '../../page/ui.js';
import type { Conversation } from './conversation.js';
import { keyOf, type Message } from './messages.js';
import type { ListedRoom, Rooms } from './rooms.js';

const FLASH_MS = 1600;
const QUOTE_MAX = 120;
const day = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });

export function Talk(props: {
  readonly room: ListedRoom;
  readonly conversation: Conversation;
  readonly rooms: Rooms;
  readonly children: ComponentChildren;
}) {
  const { room, conversation, rooms } = props;
  const redraw = useRedraw();
  useLayoutEffect(() => {
    if (isWide()) focusComposer();
  }, []);
  const reply = (message: Message | undefined): void => {
    conversation.answers = message;
    redraw();
    focusComposer();
  };
  const leave = async (): Promise<void> => {
    const left = rooms.leave(room.id);
    location.hash = isWide() ? ([...rooms.joined.keys()][0] ?? '') : '';
    await left.catch(error => toast(wordsOf(error), 'bad'));
  };
  const { answers } = conversation;
  return (
    <>
      <section class="talk" aria-labelledby="talk-title">
        <TalkHeader title={room.name} about={room.topic}>
          {props.children}
          <button type="button" class="quiet" id="leave" onClick={() => void leave()}>
            Leave
          </button>
        </TalkHeader>
        <MessageList conversation={conversation} reply={reply} />
        <TypingLine room={conversation.room} me={rooms.me} />
        <Composer
          draft={conversation}
          label={`Message to ${room.name}`}
          typing={conversation.room}
          up={focusLastMessage}
          escape={() => reply(undefined)}
          send={text => {
            conversation.send(text, answers?.id);
            reply(undefined);
          }}
        >
          {answers !== undefined && (
            <div class="replying">
              <span>
                Reply to {answers.own ? 'yourself' : answers.author.name}: {shortened(answers.content)}
              </span>
              <button type="button" class="quiet icon" aria-label="Do not reply" onClick={() => reply(undefined)}>
                ✕
              </button>
            </div>
          )}
        </Composer>
      </section>
      <People conversation={conversation} rooms={rooms} />
    </>
  );
}

/** The people in the selected room: oneself first. */
function People({ conversation, rooms: { me } }: { readonly conversation: Conversation; readonly rooms: Rooms }) {
  const { users, count } = useRoster(conversation.room);
  const typing = new Set(useTypists(conversation.room, me).map(({ id }) => id));
  const sorted = [...users].sort((a, b) => +(b.id === me.id) - +(a.id === me.id) || a.name.localeCompare(b.name));
  return (
    <aside class="side-pane" id="people" aria-labelledby="people-title">
      <h3 id="people-title">In this room: {count}</h3>
      <ul class="list" id="roster">
        {sorted.map(({ id, name }) => (
          <li key={id}>
            <Avatar name={name} id={id} />
            <span class="name">{name}</span>
            <span class="muted small">{id === me.id ? 'you' : typing.has(id) ? 'typing …' : ''}</span>
          </li>
        ))}
        {count > users.length && <li class="muted">and {count - users.length} others</li>}
      </ul>
    </aside>
  );
}

/** Grouped by author and divided by days. */
function MessageList(props: { readonly conversation: Conversation; reply(message: Message): void }) {
  const { conversation, reply } = props;
  const { messages, holes, hasEarlier, loading, problem } = conversation;
  const [flash, setFlash] = useState<string>();
  // The place of `New` stays while the room is selected and visible.
  const newFrom = useRef<string | undefined | null>(null);
  if (newFrom.current === null || document.hidden) {
    newFrom.current = conversation.firstUnread && keyOf(conversation.firstUnread);
  }
  useLayoutEffect(() => {
    if (!document.hidden) conversation.markRead();
  });
  useLayoutEffect(() => {
    if (flash === undefined) return;
    focusItem(items().find(({ dataset }) => dataset.key === flash));
    const end = setTimeout(() => setFlash(undefined), FLASH_MS);
    return () => clearTimeout(end);
  }, [flash]);

  const jump = async ({ replyTo }: Message): Promise<void> => {
    const found = replyTo === undefined ? undefined : await conversation.find(replyTo);
    setFlash(found && keyOf(found));
  };

  const rows: ComponentChildren[] = [];
  let before: Message | undefined;
  for (const message of messages.list) {
    const key = keyOf(message);
    const date = day.format(message.at);
    const isNewDay = before === undefined || day.format(before.at) !== date;
    const isHole = message.offset !== undefined && holes.has(message.offset);
    if (isNewDay) rows.push(<Divider key={`day ${key}`} kind="day" words={date} />);
    if (isHole) rows.push(<Divider key={`hole ${key}`} kind="hole" words={HOLE} />);
    if (key === newFrom.current) rows.push(<Divider key="new" kind="new" words="New" />);
    const answered = message.replyTo === undefined ? undefined : messages.withId(message.replyTo);
    rows.push(
      <MessageItem
        key={key}
        author={message.author}
        at={message.at}
        own={message.own}
        first={isNewDay || isHole || beginsGroup(message, before)}
        kind={`${message.delivery}${key === flash ? ' flash' : ''}`}
        attributes={{ tabIndex: -1, 'data-key': key }}
        action={message.delivery === 'sent' && <ReplyButton message={message} reply={reply} />}
      >
        {message.replyTo !== undefined && <Quote answered={answered} jump={() => void jump(message)} />}
        <p class="text">
          <LinkedText text={message.content} />
        </p>
        {message.delivery === 'sending' && <p class="state">Sending …</p>}
        {message.delivery === 'failed' && <Failure message={message} conversation={conversation} />}
      </MessageItem>,
    );
    before = message;
  }

  const last = messages.list.at(-1);
  return (
    <MessageScroll
      room={conversation.room.name}
      first={messages.list[0] && keyOf(messages.list[0])}
      last={last && keyOf(last)}
      ownLast={last?.own === true}
    >
      {problem !== undefined && (
        <p class="notice" role="alert">
          Messages could not be loaded: {problem}{' '}
          <button type="button" onClick={() => void conversation.load()}>
            Try again
          </button>
        </p>
      )}
      {hasEarlier && (
        <button type="button" class="earlier" id="earlier" onClick={() => void conversation.loadEarlier()}>
          Show earlier messages
        </button>
      )}
      <div role="log" aria-labelledby="talk-title">
        <ol id="messages" onKeyDown={event => pressInList(event, conversation, reply)}>
          {rows}
        </ol>
      </div>
      {messages.list.length === 0 && !loading && <p class="empty">No messages yet. Write the first one.</p>}
    </MessageScroll>
  );
}

const HOLE = 'Messages are missing here: they are older than what is kept';

function Divider({ kind, words }: { readonly kind: string; readonly words: string }) {
  return (
    <li class={`divider ${kind}`}>
      <span>{words}</span>
    </li>
  );
}

function ReplyButton({ message, reply }: { readonly message: Message; reply(message: Message): void }) {
  return (
    <button type="button" class="quiet icon beside" tabIndex={-1} title="Reply (R)" onClick={() => reply(message)}>
      <span aria-hidden="true">↩</span>
      <span class="visually-hidden">Reply to {message.own ? 'yourself' : message.author.name}</span>
    </button>
  );
}

function Quote({ answered, jump }: { readonly answered: Message | undefined; jump(): void }) {
  return (
    <button type="button" class="quote" onClick={jump}>
      <strong>{answered?.author.name ?? 'An earlier message'}</strong>
      <span>{answered === undefined ? 'Show it' : shortened(answered.content)}</span>
    </button>
  );
}

function Failure({ message, conversation }: { readonly message: Message; readonly conversation: Conversation }) {
  return (
    <div class="state problem" role="alert">
      Not sent. {message.problem}
      <span class="row">
        <button type="button" onClick={() => void conversation.deliver(message)}>
          Try again
        </button>
        <button type="button" class="quiet" onClick={() => conversation.discard(message)}>
          Delete
        </button>
      </span>
    </div>
  );
}

function shortened(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length > QUOTE_MAX ? `${line.slice(0, QUOTE_MAX)} …` : line;
}

/** The newest message gets the focus: from there, ↑ leads to older ones. */
function focusLastMessage(): void {
  focusItem(items().at(-1));
}

function pressInList(event: KeyboardEvent, { messages }: Conversation, reply: (message: Message) => void): void {
  const all = items();
  const at = all.indexOf(document.activeElement as HTMLElement);
  if (at < 0) return;
  const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: all.length - 1 }[event.key];
  if (event.key === 'r' && !event.ctrlKey && !event.metaKey) {
    const message = messages.list.find(each => keyOf(each) === all[at]?.dataset.key);
    if (message?.delivery === 'sent') reply(message);
  } else if (event.key === 'Escape' || to === all.length) focusComposer();
  else if (to !== undefined) focusItem(all[Math.max(0, to)]);
  else return;
  event.preventDefault();
}

function focusItem(item: HTMLElement | undefined): void {
  item?.focus({ preventScroll: true });
  item?.scrollIntoView({ block: 'nearest' });
}

function items(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>('#messages .message')];
}
