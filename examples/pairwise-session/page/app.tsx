/** The page of the pairwise session: an attendee's session if the address names one, or the page that creates a session. */
import { useLayoutEffect, useState } from 'preact/hooks';
import { useRedraw } from '../../page/hub.js';
import { Avatar, Confetti, PageBar, showPage, useKeys } from '../../page/ui.js';
import type { Vote } from '../rules.js';
import { type Comparison, type Invitation, nameOf, Session } from './session.js';
import { Start } from './start.js';
import '../../page/choices.css';

const HUE = 300;
const CHOICES = ['first', 'second', 'tie'];

function SessionPage({ invitation }: { readonly invitation: Invitation }) {
  const redraw = useRedraw();
  const [session] = useState(() => new Session(invitation, redraw));
  useLayoutEffect(() => void session.open(), []);
  const { ended, shown, client } = session;
  return (
    <>
      {/* The card of an ended session contains what the badge would. */}
      <PageBar title="Pairwise session" client={ended === undefined ? client : undefined} />
      <main>
        {ended !== undefined && <Ended session={session} words={ended.words} mayReturn={ended.mayReturn} />}
        {ended === undefined && shown !== undefined && <Board session={session} shown={shown} />}
      </main>
    </>
  );
}

interface BoardProps {
  readonly session: Session;
  readonly shown: Comparison;
}

/** One comparison at a time, all of them as dots, and the attendees. */
function Board({ session, shown }: BoardProps) {
  const { comparisons, index, progress, people, me } = session;
  // Keys move the focus; Enter is then the button's own.
  useKeys(event => {
    const place = ['ArrowLeft', 'ArrowRight', '='].indexOf(event.key);
    if (event.key.toLowerCase() === 'n') session.showNextOpen();
    if (place < 0) return;
    event.preventDefault();
    document.getElementById(CHOICES[place] ?? '')?.focus();
  });
  const [kind, words] = verdictOf(session, shown);
  return (
    <div id="session" class="columns">
      <div class="progress-row">
        <span id="progress-text" class="small muted">
          {progress?.completed_comparisons ?? 0} of {progress?.total_comparisons ?? comparisons.length} settled
        </span>
        <progress max={100} value={progress?.progress_percentage ?? 0} aria-label="Comparisons that are settled" />
      </div>
      <div class="stack">
        <div>
          <h3 id="position">
            {session.title} · pair {index + 1} of {comparisons.length}
          </h3>
          <h2>Which one matters more?</h2>
        </div>
        <div class="duel">
          {CHOICES.map((id, place) => (
            <Choice key={id} session={session} shown={shown} id={id} place={place} />
          ))}
        </div>
        <div id="verdict" class={`verdict ${kind}`} role="status">
          {words}
        </div>
        <ul id="dots" class="dots" aria-label="All comparisons">
          {comparisons.map((each, at) => (
            <li key={each.comparison_id}>
              <Dot each={each} number={at + 1} isShown={at === index} show={() => session.show(at)} />
            </li>
          ))}
        </ul>
        <p class="keys small muted">
          <kbd>←</kbd> <kbd>→</kbd> pick one, <kbd>=</kbd> a tie, <kbd>Enter</kbd> votes, <kbd>N</kbd> next open pair
        </p>
        {progress?.is_complete === true && (
          <section class="card stack">
            <h2>You agree on everything.</h2>
            <Ranking session={session} />
          </section>
        )}
      </div>
      <aside class="card stack people">
        <h3>Attendees</h3>
        <ul id="people" class="list">
          {[...people].map(([id, { name, present }]) => (
            <li key={id} class={present ? '' : 'away'} data-attendee={name}>
              <Avatar name={name} id={id} />
              <span class="name">
                {name}
                {id === me && <span class="muted"> (you)</span>}
              </span>
              {badgeOf(present, shown.voted.includes(id))}
            </li>
          ))}
        </ul>
        <button type="button" class="quiet leave" onClick={() => void session.leave()}>
          Leave the session
        </button>
      </aside>
      {session.celebrations > 0 && <Confetti key={session.celebrations} />}
    </div>
  );
}

function badgeOf(isPresent: boolean, hasVoted: boolean) {
  if (!isPresent) return <span class="badge">away</span>;
  return hasVoted ? <span class="badge good">voted</span> : <span class="badge">thinking</span>;
}

function Choice({ session, shown, id, place }: BoardProps & { readonly id: string; readonly place: number }) {
  const feature = shown.features[place];
  const isFor = (vote: Vote | null): boolean =>
    vote !== null && vote.preferred_feature_id === (feature?.feature_id ?? null);
  const voters = (shown.votes ?? []).filter(isFor).map(({ attendee_id: id }) => {
    return { id, name: session.people.get(id)?.name ?? '?' };
  });
  return (
    <button
      type="button"
      id={id}
      class={`choice ${isFor(shown.consensus) ? 'won' : ''}`}
      aria-pressed={isFor(shown.own_vote)}
      onClick={() => session.vote(place)}
    >
      <span class="choice-name">{feature?.name ?? 'Equally important'}</span>
      {feature !== undefined && <span class="muted">{feature.description}</span>}
      <span class="voters">
        {voters.map(({ id, name }) => (
          <Avatar key={id} name={name} id={id} />
        ))}
        <span class="visually-hidden">{voters.map(({ name }) => name).join(', ')}</span>
      </span>
    </button>
  );
}

function verdictOf(session: Session, shown: Comparison): [kind: string, words: string] {
  const { own_vote, votes, consensus, features, voted } = shown;
  const sending = session.sending.get(shown.comparison_id);
  if (sending === 'slowed') return ['warn', 'You are quick! Your vote goes out in a second.'];
  if (sending === 'sending') return ['', 'Sending your vote …'];
  if (consensus?.is_tie_vote === true) return ['good', 'Settled: you all call it a tie.'];
  if (consensus !== null) return ['good', `Settled: ${nameOf(consensus, features)}.`];
  if (own_vote === null) return ['', 'Pick one, or call it a tie. Your vote is hidden until all have voted.'];
  if (session.presentCount < 2) return ['', 'You have voted. It takes two to agree: send somebody their link.'];
  if (votes !== null) return ['warn', 'You do not agree yet. Talk about it; everybody may change their vote.'];
  const missing = [...session.people].filter(
    ([id, { present }]) => present && id !== session.me && !voted.includes(id),
  );
  const names = new Intl.ListFormat('en').format(missing.map(([, { name }]) => name));
  return ['', `You have voted. Waiting for ${names || 'the others'}.`];
}

function Dot(props: { readonly each: Comparison; readonly number: number; readonly isShown: boolean; show(): void }) {
  const { each, number, isShown } = props;
  const [kind, words] = dotOf(each);
  const title = `Pair ${number}, ${each.features.map(({ name }) => name).join(' or ')}: ${words}`;
  const current = isShown ? 'true' : undefined;
  return (
    <button
      type="button"
      class={`dot ${kind}`}
      title={title}
      aria-label={title}
      aria-current={current}
      onClick={props.show}
    >
      {number}
    </button>
  );
}

function dotOf({ consensus, votes, own_vote }: Comparison): [kind: string, words: string] {
  if (consensus !== null) return ['settled', 'settled'];
  if (votes !== null && votes.length > 1) return ['split', 'no agreement'];
  return own_vote === null ? ['', 'not voted'] : ['voted', 'you have voted'];
}

function Ranking({ session }: { readonly session: Session }) {
  return (
    <ol id="ranking" class="scores">
      {session.ranking().map(({ name, points }, index) => (
        <li key={name}>
          <span class="place">{index + 1}.</span>
          <span class="name">{name}</span>
          <span class="badge accent">{points}</span>
        </li>
      ))}
    </ol>
  );
}

function Ended(props: { readonly session: Session; readonly words: string; readonly mayReturn: boolean }) {
  const { session, words, mayReturn } = props;
  const settled = session.progress?.completed_comparisons ?? 0;
  return (
    <section id="ended" class="card stack narrow centered">
      <h2>{mayReturn ? 'See you.' : 'This is the end here.'}</h2>
      <p class="muted">{words}</p>
      {!mayReturn && settled > 0 && (
        <div class="stack tight">
          <h3>{session.title}</h3>
          <p>
            You agreed on {settled} of {session.comparisons.length} pairs.
          </p>
          <Ranking session={session} />
        </div>
      )}
      <div class="row">
        {mayReturn && (
          <button type="button" class="primary" onClick={() => session.rejoin()}>
            Join again
          </button>
        )}
        <a class="button" href="/">
          Start page
        </a>
      </div>
    </section>
  );
}

const query = new URLSearchParams(location.search);
const [project, session, attendee] = ['project', 'session', 'attendee'].map(name => query.get(name) ?? '');
// The key is behind the #: it never reaches the log of a server.
const key = location.hash.slice(1);
showPage(
  project && session && attendee ? <SessionPage invitation={{ project, session, attendee, key }} /> : <Start />,
  HUE,
);
