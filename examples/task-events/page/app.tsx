/** The workspace page: signs in, and shows chats, the selected one, its tasks, and notifications of other programs. */
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { ask, keep, kept, useRedraw, wordsOf } from '../../page/hub.js';
import { Time } from '../../page/messages.js';
import {
  isWide,
  ListPane,
  NoTalk,
  Panes,
  RoomLink,
  SignIn,
  showInTitle,
  Unread,
  useRoomOfAddress,
} from '../../page/panes.js';
import { fieldsOf, PageBar, Problem, showPage, toast, useWork } from '../../page/ui.js';
import { Talk } from './talk.js';
import { type SignedIn, Workspace } from './workspace.js';

const HUE = 300;
const TITLE = 'Chat and tasks';
const KEPT = 'task-events:signed-in';

function App() {
  const [signedIn, setSignedIn] = useState(() => kept<SignedIn>(KEPT));
  const redraw = useRedraw();
  const [workspace, setWorkspace] = useState<Workspace>();
  const enter = async (known: SignedIn): Promise<void> => {
    setWorkspace(await Workspace.open(known, redraw));
    keep(KEPT, known);
  };
  useLayoutEffect(() => {
    if (signedIn === undefined) return;
    enter(signedIn).catch(error => {
      toast(`${wordsOf(error)} Sign in again.`, 'bad');
      keep(KEPT, undefined);
      setSignedIn(undefined);
    });
  }, []);
  if (workspace !== undefined) return <Desk workspace={workspace} />;
  return (
    <>
      <PageBar title={TITLE} />
      {signedIn === undefined && (
        <SignIn
          about="The same name in two tabs is one user twice. There are no passwords: this is a demonstration."
          button="Open the workspace"
          enter={async name => await enter(await ask<SignedIn>('POST', '/api/sign-in', { name }))}
        />
      )}
    </>
  );
}

function signOut(): void {
  keep(KEPT, undefined);
  location.assign(location.pathname + location.search);
}

function Desk({ workspace }: { readonly workspace: Workspace }) {
  const id = useRoomOfAddress();
  const redraw = useRedraw();
  const [sideOpen, setSideOpen] = useState(false);
  const chats = [...workspace.chats.values()];
  const chat = workspace.chats.get(id);

  workspace.reading = chat?.id;
  useLayoutEffect(() => {
    const [first] = workspace.chats.keys();
    if (location.hash === '' && isWide() && first !== undefined) location.replace(`#${first}`);
    document.addEventListener('visibilitychange', redraw);
    return () => document.removeEventListener('visibilitychange', redraw);
  }, []);
  if (chat !== undefined && !document.hidden) chat.unread = 0;
  showInTitle(
    TITLE,
    chats.reduce((sum, { unread }) => sum + unread, 0),
  );

  return (
    <>
      <PageBar title={TITLE} client={workspace.client}>
        <Bell workspace={workspace} />
      </PageBar>
      <Panes view={chat === undefined && id === '' ? 'list' : 'talk'} sideOpen={sideOpen}>
        <ListPane label="Chats" userName={workspace.me.name} signOut={signOut} form={<NewChat workspace={workspace} />}>
          <ul class="rooms">
            {chats.map(({ id: chatId, title, tasks, unread }) => (
              <RoomLink
                key={chatId}
                id={chatId}
                name={title}
                about={openTasks(tasks.filter(({ status }) => status !== 'done').length)}
                active={chatId === id}
                unread={unread}
              />
            ))}
            {chats.length === 0 && <li class="empty">You do not belong to a chat yet.</li>}
          </ul>
        </ListPane>
        {chat !== undefined ? (
          <Talk
            key={id}
            chat={chat}
            workspace={workspace}
            sideOpen={sideOpen}
            toggleSide={() => setSideOpen(!sideOpen)}
          />
        ) : (
          <NoTalk title={id === '' ? 'Select a chat' : 'There is no such chat for you'}>
            <p class="muted">
              {id === ''
                ? 'Your chats are in the list. You can create another one there.'
                : 'Ask a member of the chat to add you, or select one of your chats in the list.'}
            </p>
          </NoTalk>
        )}
      </Panes>
    </>
  );
}

function openTasks(count: number): string {
  return count === 1 ? '1 open task' : `${count} open tasks`;
}

function NewChat({ workspace }: { readonly workspace: Workspace }) {
  const work = useWork();
  const create = (event: SubmitEvent): void => {
    const form = event.currentTarget as HTMLFormElement;
    const { title = '', members = '' } = fieldsOf(event);
    const names = members.split(',').map(name => name.trim());
    void work.run(async () => {
      location.hash = (
        await workspace.createChat(
          title,
          names.filter(name => name !== ''),
        )
      ).id;
      form.reset();
    });
  };
  return (
    <form class="stack" onSubmit={create}>
      <h3>New chat</h3>
      <input name="title" aria-label="Title of a new chat" placeholder="Title" maxLength={60} required />
      <input name="members" aria-label="Names of its members, separated by commas" placeholder="Members: Bob, Cleo" />
      <Problem of={work} />
      <button type="submit" disabled={work.busy}>
        Create
      </button>
    </form>
  );
}

/** Notifications: a bell with the number of unread ones, and their list below it. */
function Bell({ workspace }: { readonly workspace: Workspace }) {
  const [isOpen, setOpen] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const { notifications } = workspace;
  const unread = notifications.filter(({ read }) => read !== true).length;
  useLayoutEffect(() => {
    if (!isOpen) return;
    const close = ({ target }: Event): void => {
      if (target instanceof Node && !place.current?.contains(target)) setOpen(false);
    };
    const press = ({ key }: KeyboardEvent): void => {
      if (key !== 'Escape') return;
      setOpen(false);
      button.current?.focus();
    };
    addEventListener('click', close);
    addEventListener('keydown', press);
    return () => {
      removeEventListener('click', close);
      removeEventListener('keydown', press);
    };
  }, [isOpen]);
  const toggle = (): void => {
    setOpen(!isOpen);
    if (!isOpen) workspace.readNotifications().catch(error => toast(wordsOf(error), 'bad'));
  };
  return (
    <div class="bell-place" ref={place}>
      <button
        type="button"
        ref={button}
        class="quiet icon bell"
        aria-label={`Notifications, ${unread} unread`}
        aria-expanded={isOpen}
        aria-controls="notifications"
        onClick={toggle}
      >
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <path d="M6 17V11a6 6 0 0 1 12 0v6l2 2H4zM10 21.5h4" />
        </svg>
        <Unread count={unread} id="bell-count" />
      </button>
      {isOpen && (
        <ul class="notifications" id="notifications">
          {notifications.map(({ notification_id, text, at, read, chat_id }) => (
            <li key={notification_id} class={read === true ? '' : 'new'}>
              <span class="name">
                {text} <Time at={new Date(at)} />
              </span>
              {chat_id !== undefined && (
                <a class="button quiet" href={`#${chat_id}`} onClick={() => setOpen(false)}>
                  Show
                </a>
              )}
            </li>
          ))}
          {notifications.length === 0 && <li class="empty">No notifications yet.</li>}
        </ul>
      )}
    </div>
  );
}

showPage(<App />, HUE);
