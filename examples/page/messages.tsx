/** A conversation on a page: messages that scroll, their text with links, who types, and where a message is written. */
import type { Room, Sender } from '@hubbub/client';
import { LinkifyIt } from 'linkify-it';
import type { ComponentChildren, HTMLAttributes } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { type TypingFrames, type TypingPorts, TypingSignal, typingWords, useTypists } from './typing.js';
import { Avatar } from './ui.js';

/** This close to the lower end counts as there. */
const END_PX = 60;

/**
 * Scrolls with new messages, unless the reader is further up. Earlier messages do not move the visible ones.
 * The newest message stays in view when the place for messages shrinks, as by the keyboard of a phone.
 * @param first names the first message; another one means that earlier ones were added
 * @param last names the last one; `ownLast`: it was written here
 */
export function MessageScroll(props: {
  readonly room: string;
  readonly first: string | undefined;
  readonly last: string | undefined;
  readonly ownLast: boolean;
  readonly children: ComponentChildren;
}) {
  const { room, first, last, ownLast } = props;
  const scroll = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const before = useRef({ room: '', first: undefined as string | undefined, last: undefined as string | undefined });
  const place = useRef({ atEnd: true, fromEnd: 0 });
  const [hasNews, setHasNews] = useState(false);

  const note = (): void => {
    const { scrollHeight, scrollTop, clientHeight } = scroll.current ?? {
      scrollHeight: 0,
      scrollTop: 0,
      clientHeight: 0,
    };
    place.current = { atEnd: scrollHeight - scrollTop - clientHeight < END_PX, fromEnd: scrollHeight - scrollTop };
    if (place.current.atEnd) setHasNews(false);
  };
  const toEnd = (): void => {
    scroll.current?.scrollTo({ top: scroll.current.scrollHeight });
    note();
  };

  useLayoutEffect(() => {
    const { room: roomBefore, first: firstBefore, last: lastBefore } = before.current;
    const isNews = last !== lastBefore;
    before.current = { room, first, last };
    if (room !== roomBefore || place.current.atEnd || (isNews && ownLast)) return toEnd();
    if (isNews) return setHasNews(true);
    if (first !== firstBefore && scroll.current !== null) {
      scroll.current.scrollTop = scroll.current.scrollHeight - place.current.fromEnd;
    }
    note();
  });
  useLayoutEffect(() => {
    const sizes = new ResizeObserver(() => {
      if (place.current.atEnd) toEnd();
    });
    if (scroll.current !== null) sizes.observe(scroll.current);
    if (content.current !== null) sizes.observe(content.current);
    return () => sizes.disconnect();
  }, []);

  return (
    <div class="scroll-place">
      <div class="scroll" id="scroll" ref={scroll} onScroll={note}>
        <div ref={content}>{props.children}</div>
      </div>
      {hasNews && (
        <button type="button" class="to-end" id="to-end" onClick={toEnd}>
          New messages ↓
        </button>
      )}
    </div>
  );
}

/** Messages of one author this close together are one group. */
const GROUP_MS = 5 * 60_000;
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });

interface Written {
  readonly author: Sender;
  readonly at: Date;
}

/** Whether a message begins a group, which shows author and time once. */
export function beginsGroup({ author, at }: Written, before: Written | undefined): boolean {
  return before?.author.id !== author.id || +at - +before.at > GROUP_MS;
}

export function Time({ at }: { readonly at: Date }) {
  return (
    <time dateTime={at.toISOString()} title={at.toLocaleString()}>
      {clock.format(at)}
    </time>
  );
}

/** One message: who wrote it and when, its content, and a button beside it. */
export function MessageItem(
  props: Written & {
    readonly own: boolean;
    readonly first: boolean;
    readonly attributes: HTMLAttributes<HTMLLIElement> & Readonly<Record<`data-${string}`, string>>;
    /** For style: such as `sent`. */
    readonly kind?: string;
    readonly action?: ComponentChildren;
    readonly children: ComponentChildren;
  },
) {
  const { author, at, own, first, kind = '' } = props;
  return (
    <li {...props.attributes} class={`message ${own ? 'own ' : ''}${first ? 'first ' : ''}${kind}`}>
      {first && !own && <Avatar name={author.name} id={author.id} />}
      <div class="bubble">
        <p class={first ? 'author' : 'visually-hidden'}>
          {own ? 'You' : author.name} {first && <Time at={at} />}
        </p>
        {props.children}
      </div>
      {props.action}
    </li>
  );
}

const links = new LinkifyIt({ fuzzyEmail: false });

/** Written text. Only addresses that begin with `http:` or `https:` become links; all else stays text. */
export function LinkedText({ text }: { readonly text: string }) {
  const parts: ComponentChildren[] = [];
  let end = 0;
  for (const { index, lastIndex, schema, url, text: shown } of links.match(text) ?? []) {
    if (schema !== 'http:' && schema !== 'https:') continue;
    parts.push(
      text.slice(end, index),
      <a key={index} href={url} target="_blank" rel="noopener noreferrer nofollow">
        {shown}
      </a>,
    );
    end = lastIndex;
  }
  return (
    <>
      {parts}
      {text.slice(end)}
    </>
  );
}

/** The others who type, in words. */
export function TypingLine(props: { readonly room: Room; readonly me: Sender; readonly frames?: TypingFrames }) {
  return (
    <p class="typing" id="typing" aria-live="polite">
      {typingWords(useTypists(props.room, props.me, props.frames))}
    </p>
  );
}

/** Below the 4,096 bytes of a frame, with room for its other fields. JSON writes some characters longer than they are. */
const CONTENT_MAX_BYTES = 3600;
/** From here on the page shows how much is left. */
const WARN_BYTES = 3000;
const HEIGHT_MAX_PX = 200;

/** Where a message is written: Enter sends, Shift+Enter makes a line. Give it a `key` for each room. */
export function Composer(props: {
  /** The text that was begun in this room. */
  readonly draft: { draft: string };
  readonly label: string;
  readonly typing: TypingPorts;
  /** Above the text: such as the message that is answered. */
  readonly children?: ComponentChildren;
  send(text: string): void;
  /** ↑ in an empty field. */
  up?(): void;
  escape?(): void;
}) {
  const { draft, label } = props;
  const [text, setText] = useState(draft.draft);
  const [signal] = useState(() => new TypingSignal(props.typing));
  const input = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => () => signal.stop(), []);
  useLayoutEffect(() => {
    if (input.current === null) return;
    input.current.style.height = 'auto';
    input.current.style.height = `${Math.min(input.current.scrollHeight + 2, HEIGHT_MAX_PX)}px`;
  }, [text]);

  const bytes = new TextEncoder().encode(JSON.stringify(text.trim())).length - 2;
  const over = bytes - CONTENT_MAX_BYTES;
  const write = (next: string): void => {
    draft.draft = next;
    setText(next);
    if (next.trim() === '') signal.stop();
    else signal.typed();
  };
  const send = (): void => {
    if (text.trim() === '' || over > 0) return;
    props.send(text.trim());
    write('');
  };
  const press = (event: KeyboardEvent): void => {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) send();
    else if (event.key === 'Escape' && props.escape !== undefined) props.escape();
    else if (event.key === 'ArrowUp' && text === '' && props.up !== undefined) props.up();
    else return;
    event.preventDefault();
  };
  return (
    <form
      class="composer"
      onSubmit={event => {
        event.preventDefault();
        send();
      }}
    >
      {props.children}
      <textarea
        id="text"
        ref={input}
        rows={1}
        aria-label={label}
        placeholder={label}
        aria-describedby="how-long"
        value={text}
        onInput={event => write(event.currentTarget.value)}
        onKeyDown={press}
      />
      <button class="primary" type="submit" disabled={over > 0}>
        Send
      </button>
      <span class={`small${over > 0 ? ' problem' : ''}`} id="how-long" role="status">
        {over > 0 ? `${over} bytes too long: send it in two parts.` : bytes > WARN_BYTES ? `${-over} bytes left` : ''}
      </span>
    </form>
  );
}

export function focusComposer(): void {
  document.getElementById('text')?.focus();
}
