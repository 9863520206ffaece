/** The page: sign-in, or the bar with its views. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { closeSession, openSession, RequestFailure, type Session } from '../api.js';
import { hrefOf, type Route, useRoute } from '../route.js';
import { EventsView, LettersView } from './events.js';
import { ExplainForm, ExplanationView } from './explain.js';
import { NodesView } from './nodes.js';
import { RoomsView, RoomView } from './rooms.js';
import { SignIn } from './sign-in.js';
import { UserForm, UserView } from './users.js';

const VIEWS = ['nodes', 'rooms', 'users', 'events', 'explain'] as const;
/** Of the view that a detail belongs to. */
const LIST_OF: Readonly<Record<Route['view'], (typeof VIEWS)[number]>> = {
  nodes: 'nodes',
  rooms: 'rooms',
  room: 'rooms',
  users: 'users',
  user: 'users',
  events: 'events',
  letters: 'events',
  explain: 'explain',
  explanation: 'explain',
};

export function App() {
  const [session, setSession] = useState<Session | 'unknown' | 'none'>('unknown');
  useEffect(() => {
    openSession().then(setSession, () => setSession('none'));
  }, []);
  if (session === 'unknown') return <main class="empty">Loading …</main>;
  if (session === 'none') return <SignIn signedIn={setSession} />;
  return <Console session={session} signedOut={() => setSession('none')} />;
}

function Console({ session, signedOut }: { readonly session: Session; readonly signedOut: () => void }) {
  const route = useRoute();
  const heading = useRef<HTMLHeadingElement>(null);
  const [problem, setProblem] = useState('');
  const title = titleOf(route);
  const isFirst = useRef(true);
  useEffect(() => {
    document.title = `${title} – Hubbub console`;
    // A screen reader and the keyboard continue at the new view.
    if (!isFirst.current) heading.current?.focus();
    isFirst.current = false;
  }, [title]);
  const signOut = useCallback(async () => {
    try {
      await closeSession();
      signedOut();
    } catch (error) {
      if (!(error instanceof RequestFailure)) throw error;
      if (error.code === 'UNAUTHORIZED') signedOut();
      else setProblem(error.message);
    }
  }, [signedOut]);
  return (
    <>
      <header class="bar row">
        <p class="brand">
          Hubbub <span class="hint">console</span>
        </p>
        <nav class="views row" aria-label="Views">
          {VIEWS.map(view => (
            <a
              key={view}
              href={hrefOf(view)}
              aria-current={LIST_OF[route.view] === view ? 'page' : undefined}
              data-testid={`view-${view}`}
            >
              {view}
            </a>
          ))}
        </nav>
        <div class="me row">
          <span class="me-name" data-testid="key-name" title={`Operations: ${session.operations.join(', ')}`}>
            {session.name}
          </span>
          <button type="button" class="quiet small" data-testid="sign-out" onClick={() => void signOut()}>
            Sign out
          </button>
        </div>
      </header>
      {problem !== '' && (
        <p class="notice" role="alert">
          {problem}
        </p>
      )}
      <main class="page">
        <h1 ref={heading} tabIndex={-1} data-testid="title">
          {title}
        </h1>
        <View key={title} route={route} session={session} />
      </main>
    </>
  );
}

function View({ route, session }: { readonly route: Route; readonly session: Session }) {
  switch (route.view) {
    case 'nodes':
      return <NodesView />;
    case 'rooms':
      return <RoomsView />;
    case 'room':
      return <RoomView room={route.name} session={session} />;
    case 'users':
      return <UserForm />;
    case 'user':
      return <UserView user={route.name} session={session} />;
    case 'events':
      return <EventsView />;
    case 'letters':
      return <LettersView namespace={route.namespace} group={route.group} session={session} />;
    case 'explain':
      return <ExplainForm />;
    case 'explanation':
      return <ExplanationView name={route.name} />;
  }
}

function titleOf(route: Route): string {
  switch (route.view) {
    case 'room':
      return `Room ${route.name}`;
    case 'user':
      return `User ${route.name}`;
    case 'letters':
      return `Dead letters of ${route.group} in ${route.namespace}`;
    case 'explanation':
      return `Account of ${route.name}`;
    default:
      return { nodes: 'Nodes', rooms: 'Rooms', users: 'Users', events: 'Events', explain: 'Explain' }[route.view];
  }
}
