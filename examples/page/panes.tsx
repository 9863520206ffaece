/** The frame of a page for conversations: the name of a person, a list of rooms, the selected one, and a side pane. */
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useState } from 'preact/hooks';
import { fieldsOf, Problem, useWork } from './ui.js';
import './talk.css';

/** The panes are side by side from this width on. */
const WIDE = matchMedia('(min-width: 761px)');

/** Whether a room is selected without being asked for, and gets the focus: on a phone, the keyboard would cover it. */
export function isWide(): boolean {
  return WIDE.matches;
}

/** Asks for a name. `enter` rejects with words for people. */
export function SignIn(props: { readonly about: string; readonly button: string; enter(name: string): Promise<void> }) {
  const work = useWork();
  return (
    <main>
      <form
        class="card stack narrow"
        onSubmit={event => {
          const { name = '' } = fieldsOf(event);
          void work.run(() => props.enter(name));
        }}
      >
        <h2>Who are you?</h2>
        <p class="muted">{props.about}</p>
        <label class="field">
          Name
          <input id="name" name="name" autocomplete="nickname" maxLength={40} required autofocus />
        </label>
        <Problem of={work} />
        <button class="primary" type="submit" disabled={work.busy}>
          {props.button}
        </button>
      </form>
    </main>
  );
}

/**
 * Three panes on a wide screen. On a narrow one `view` selects the list or the conversation, and the side pane opens above it.
 * Their heights follow the visible part of the page: a phone's keyboard covers the rest.
 */
export function Panes(props: {
  readonly view: 'list' | 'talk';
  readonly sideOpen: boolean;
  readonly children: ComponentChildren;
}) {
  useLayoutEffect(followVisibleHeight, []);
  return (
    <main class={`panes${props.sideOpen ? ' side-open' : ''}`} data-view={props.view}>
      {props.children}
    </main>
  );
}

function followVisibleHeight(): (() => void) | undefined {
  const viewport = window.visualViewport;
  if (viewport === null) return undefined;
  const follow = (): void => {
    // Zooming shrinks the visible part, too; the product stays the same.
    document.documentElement.style.setProperty('--visible-height', `${viewport.height * viewport.scale}px`);
    if (viewport.scale === 1) scrollTo(0, 0); // Some browsers push the page up to show the input.
  };
  follow();
  viewport.addEventListener('resize', follow);
  return () => viewport.removeEventListener('resize', follow);
}

/** The list of rooms with the user below it. */
export function ListPane(props: {
  readonly label: string;
  readonly userName: string;
  readonly form: ComponentChildren;
  readonly children: ComponentChildren;
  signOut(): void;
}) {
  return (
    <nav class="list-pane" aria-label={props.label}>
      {props.children}
      {props.form}
      <footer>
        <span class="me" id="me">
          {props.userName}
        </span>
        <button type="button" class="quiet" id="sign-out" onClick={props.signOut}>
          Sign out
        </button>
      </footer>
    </nav>
  );
}

/** A link of the list to the room `id`. */
export function RoomLink(props: {
  readonly id: string;
  readonly name: string;
  readonly about: string;
  readonly active: boolean;
  readonly unread: number;
  readonly children?: ComponentChildren;
}) {
  const { id, name, about, active, unread } = props;
  return (
    <li>
      <a href={`#${id}`} data-room={id} aria-current={active ? 'page' : undefined}>
        <span class="name">
          {name}
          <span class="muted small">{about}</span>
        </span>
        {props.children}
        <Unread count={unread} />
      </a>
    </li>
  );
}

const UNREAD_MAX = 99;

export function Unread({ count, id }: { readonly count: number; readonly id?: string }) {
  if (count === 0) return null;
  return (
    <span class="unread" id={id}>
      {count > UNREAD_MAX ? `${UNREAD_MAX}+` : count}
      <span class="visually-hidden"> unread</span>
    </span>
  );
}

/** Shows unread messages in the title of the page. */
export function showInTitle(title: string, unread: number): void {
  document.title = unread > 0 ? `(${unread}) ${title}` : title;
}

/** The header of the selected room. Its children are buttons. */
export function TalkHeader(props: {
  readonly title: string;
  readonly about: string;
  readonly children: ComponentChildren;
}) {
  return (
    <header>
      <BackButton />
      <div class="about">
        <h2 id="talk-title">{props.title}</h2>
        <p class="muted small">{props.about}</p>
      </div>
      {props.children}
    </header>
  );
}

/** Leads from a room to the list, where only one of them is visible. */
export function BackButton() {
  const back = (): void => {
    location.hash = '';
  };
  return (
    <button type="button" class="quiet icon back" id="back" aria-label="Back to the list" onClick={back}>
      ←
    </button>
  );
}

/** A page in the place of a conversation: what is missing, and what to do. */
export function NoTalk(props: { readonly title: string; readonly children: ComponentChildren }) {
  return (
    <section class="talk" aria-labelledby="talk-title">
      <header>
        <BackButton />
      </header>
      <div class="no-talk stack" role="alert">
        <h2 id="talk-title">{props.title}</h2>
        {props.children}
      </div>
    </section>
  );
}

/** The room that the address names behind `#`; empty if it names none. */
export function useRoomOfAddress(): string {
  const [name, setName] = useState(roomOfAddress);
  useLayoutEffect(() => {
    const follow = (): void => setName(roomOfAddress());
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  return name;
}

/** @see useRoomOfAddress */
export function roomOfAddress(): string {
  const name = location.hash.slice(1);
  try {
    return decodeURIComponent(name);
  } catch {
    return name; // Malformed: no room has this name.
  }
}
