/** The chat page: signs in, and shows rooms, the conversation of the room that the address names, and its people. */
import { useLayoutEffect, useState } from 'preact/hooks';
import { ask, keep, kept, useRedraw, wordsOf } from '../../page/hub.js';
import {
  isWide,
  ListPane,
  NoTalk,
  Panes,
  RoomLink,
  roomOfAddress,
  SignIn,
  showInTitle,
  useRoomOfAddress,
} from '../../page/panes.js';
import { fieldsOf, PageBar, Problem, showPage, toast, useWork } from '../../page/ui.js';
import { FIRST_ROOM, type Identity, Rooms, signIn } from './rooms.js';
import { Talk } from './talk.js';

const HUE = 200;
const IDENTITY = 'chat:identity';
const ONLINE_EVERY_MS = 5000;

/** Each tab is a person, so that one can try the chat alone. */
function App() {
  const [identity, setIdentity] = useState(() => kept<Identity>(IDENTITY));
  if (identity !== undefined) return <Entrance identity={identity} />;
  const enter = async (name: string): Promise<void> => {
    const { user, key } = await signIn(name);
    keep(IDENTITY, { user, key });
    setIdentity({ user, key });
  };
  return (
    <>
      <PageBar title="Chat" />
      <SignIn
        about="Others see this name. Each tab is a person of its own: open two to talk to yourself."
        button="Enter the chat"
        enter={enter}
      />
    </>
  );
}

/** Waits for the list of rooms. */
function Entrance({ identity }: { readonly identity: Identity }) {
  const [rooms, setRooms] = useState<Rooms>();
  const redraw = useRedraw();
  const work = useWork();
  const open = () => work.run(async () => setRooms(await Rooms.open(identity, redraw)));
  useLayoutEffect(() => void open(), []);
  if (rooms !== undefined) return <Chat rooms={rooms} />;
  return (
    <>
      <PageBar title="Chat" />
      <main class="stack narrow">
        <Problem of={work} />
        {work.problem !== '' && (
          <button type="button" onClick={() => void open()}>
            Try again
          </button>
        )}
      </main>
    </>
  );
}

function signOut(): void {
  sessionStorage.clear();
  location.assign(location.pathname + location.search);
}

function Chat({ rooms }: { readonly rooms: Rooms }) {
  const id = useRoomOfAddress();
  const redraw = useRedraw();
  const [sideOpen, setSideOpen] = useState(false);
  const listed = rooms.find(id);
  const conversation = rooms.joined.get(id);

  useLayoutEffect(() => {
    if (location.hash === '' && isWide()) location.replace(`#${FIRST_ROOM}`);
    document.addEventListener('visibilitychange', redraw);
    const press = (event: KeyboardEvent): void => changeRoom(event, rooms);
    addEventListener('keydown', press);
    return () => {
      document.removeEventListener('visibilitychange', redraw);
      removeEventListener('keydown', press);
    };
  }, []);
  useLayoutEffect(() => rooms.enter(id), [id, listed === undefined]);

  const unreadOf = (room: string): number =>
    room === id && !document.hidden ? 0 : (rooms.joined.get(room)?.unread ?? 0);
  showInTitle(
    'Chat',
    [...rooms.joined.keys()].reduce((sum, room) => sum + unreadOf(room), 0),
  );

  return (
    <>
      <PageBar title="Chat" client={rooms.client}>
        <Online present={rooms.present} />
      </PageBar>
      <Panes view={id === '' ? 'list' : 'talk'} sideOpen={sideOpen}>
        <ListPane label="Rooms" userName={rooms.me.name} signOut={signOut} form={<NewRoom rooms={rooms} />}>
          <ul class="rooms">
            {rooms.listed.map(room => (
              <RoomLink
                key={room.id}
                id={room.id}
                name={room.name}
                about={room.topic}
                active={room.id === id}
                unread={unreadOf(room.id)}
              >
                {!rooms.joined.has(room.id) && <span class="badge">Join</span>}
              </RoomLink>
            ))}
          </ul>
        </ListPane>
        {listed === undefined && <UnknownRoom key={id} id={id} rooms={rooms} />}
        {listed !== undefined && conversation?.refusal !== undefined && (
          <NoTalk title={`${listed.name} cannot be entered`}>
            <p>{conversation.refusal}</p>
            <p class="row">
              <button type="button" class="primary" onClick={() => void conversation.open()}>
                Try again
              </button>
              <GoToFirstRoom />
            </p>
          </NoTalk>
        )}
        {listed !== undefined && conversation !== undefined && conversation.refusal === undefined && (
          <Talk key={id} room={listed} conversation={conversation} rooms={rooms}>
            <button
              type="button"
              class="quiet show-side"
              aria-expanded={sideOpen}
              aria-controls="people"
              onClick={() => setSideOpen(!sideOpen)}
            >
              {conversation.room.roster.count} {conversation.room.roster.count === 1 ? 'person' : 'people'}
            </button>
          </Talk>
        )}
      </Panes>
    </>
  );
}

/** Alt+↑ and Alt+↓ change the room. */
function changeRoom(event: KeyboardEvent, { joined }: Rooms): void {
  if (!event.altKey || (event.key !== 'ArrowUp' && event.key !== 'ArrowDown')) return;
  event.preventDefault();
  const ids = [...joined.keys()];
  const at = ids.indexOf(roomOfAddress());
  const next = ids.at((at + (event.key === 'ArrowUp' ? -1 : 1)) % ids.length);
  if (next !== undefined) location.hash = next;
}

/**
 * How many users are online in the whole cluster. The service's answer may lag behind rooms, so at least those who are seen in rooms.
 */
function Online({ present }: { readonly present: number }) {
  const [online, setOnline] = useState<number | 'unknown'>(0);
  useLayoutEffect(() => {
    const look = async (): Promise<void> => {
      if (document.hidden) return;
      const answer = ask<{ readonly online: number }>('GET', '/ws/online');
      setOnline(await answer.then(({ online }) => online).catch(() => 'unknown' as const));
    };
    void look();
    const looking = setInterval(look, ONLINE_EVERY_MS);
    return () => clearInterval(looking);
  }, [present]);
  if (online === 'unknown' || Math.max(online, present) === 0) return null; // Better nothing than a wrong number.
  return (
    <span class="badge" id="online">
      {Math.max(online, present)} online
    </span>
  );
}

function NewRoom({ rooms }: { readonly rooms: Rooms }) {
  const submit = async (event: SubmitEvent): Promise<void> => {
    const form = event.currentTarget as HTMLFormElement;
    const { name = '' } = fieldsOf(event);
    try {
      location.hash = (await rooms.create(name)).id;
      form.reset();
    } catch (error) {
      toast(wordsOf(error), 'bad');
    }
  };
  return (
    <form class="row" onSubmit={event => void submit(event)}>
      <input class="grow" name="name" aria-label="Name of a new room" placeholder="New room" maxLength={40} required />
      <button type="submit">Add</button>
    </form>
  );
}

/** The page of an address that names no listed room: on a wide screen also of one that names none at all. */
function UnknownRoom({ id, rooms }: { readonly id: string; readonly rooms: Rooms }) {
  const work = useWork();
  // A name that would give the same address; other addresses cannot be created.
  const name = /^chat:([a-z0-9]+(?:-[a-z0-9]+)*)$/.exec(id)?.[1]?.replaceAll('-', ' ');
  if (id === '') {
    return (
      <NoTalk title="Select a room">
        <p class="muted">Rooms are in the list. A room that you add there is open to everybody.</p>
      </NoTalk>
    );
  }
  return (
    <NoTalk title="There is no such room">
      <p>
        The address names the room <strong>{id}</strong>, which is not in the list. The link may be incomplete, or the
        room was forgotten: that happens after a day without visitors.
      </p>
      <p class="row">
        {name !== undefined && (
          <button
            type="button"
            class="primary"
            disabled={work.busy}
            onClick={() => void work.run(() => rooms.create(name))}
          >
            Create “{name}”
          </button>
        )}
        <GoToFirstRoom />
      </p>
      <Problem of={work} />
    </NoTalk>
  );
}

function GoToFirstRoom() {
  return (
    <a class="button" href={`#${FIRST_ROOM}`}>
      Go to General
    </a>
  );
}

showPage(<App />, HUE);
