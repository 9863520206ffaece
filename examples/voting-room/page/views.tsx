/** The screens of a room: the lobby, the vote with its result, and the end. */
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Avatar, CopyButton, fieldsOf, Problem, useWork } from '../../page/ui.js';
import type { Choice, Result, RoomAnswer } from '../rules.js';

interface RoomProps {
  readonly status: RoomAnswer;
  /** The number of people who have the room open. */
  readonly present: number;
  change(what: string, body?: object): Promise<void>;
}

export function Lobby({ status, present, link, change }: RoomProps & { readonly link: string }) {
  const { participants, you } = status;
  const undecided = Math.max(0, present - participants.length);
  return (
    <div class="columns lobby">
      <section class="card stack people">
        <div class="row spread">
          <h2>In the room</h2>
          <span class="badge accent" role="status">
            {present} here · {participants.length} ready
          </span>
        </div>
        <ul class="list" aria-label="Participants" aria-live="polite">
          {participants.map((name, index) => (
            <li key={index} data-participant={name}>
              <Avatar name={name} id={`${index} ${name}`} />
              <span class="name">{name}</span>
              {index === you && <span class="badge">you</span>}
              <span class="badge good">✓ Ready</span>
            </li>
          ))}
          {undecided > 0 && (
            <li class="undecided" data-undecided={undecided}>
              <span class="avatar" aria-hidden="true">
                …
              </span>
              <span class="name muted">{undecidedPeople(undecided, you === undefined)} getting ready</span>
            </li>
          )}
        </ul>
        {present === 0 && participants.length === 0 && <p class="empty">The room is empty. Share the link.</p>}
      </section>
      <div class="stack side">
        <You name={you === undefined ? undefined : participants[you]} change={change} />
        <section class="card stack">
          <h3>Invite</h3>
          <label class="field">
            Link of this room
            <input readOnly value={link} onFocus={event => event.currentTarget.select()} />
          </label>
          <CopyButton text={link}>Copy the link</CopyButton>
        </section>
        <Plan status={status} undecided={undecided} change={change} />
      </div>
    </div>
  );
}

function undecidedPeople(count: number, withYou: boolean): string {
  if (!withYou) return count === 1 ? 'One more is' : `${count} more are`;
  if (count === 1) return 'You are';
  return count === 2 ? 'You and one more are' : `You and ${count - 1} more are`;
}

/** Asks for the name of this participant, once. */
function You({ name, change }: { readonly name: string | undefined; change: RoomProps['change'] }) {
  const work = useWork();
  const submit = (event: SubmitEvent): void => {
    const { text = '' } = fieldsOf(event);
    void work.run(async () => {
      if (text === '') throw new Error('Enter your name first.');
      await change('participate', { text });
    });
  };
  return (
    <form class="card stack ready-card" onSubmit={submit}>
      <h3>You</h3>
      <label class="field">
        Your name
        <input
          name="text"
          maxLength={80}
          autocomplete="name"
          required
          placeholder="Ada Lovelace"
          readOnly={name !== undefined}
          {...(name !== undefined && { value: name })}
        />
      </label>
      {name === undefined ? (
        <button type="submit" class="primary" disabled={work.busy}>
          I am ready
        </button>
      ) : (
        <p class="done" role="status">
          ✓ You are ready. Wait here.
        </p>
      )}
      <Problem of={work} />
    </form>
  );
}

/** The question, and the start of the vote. */
function Plan(props: Pick<RoomProps, 'status' | 'change'> & { readonly undecided: number }) {
  const { status, undecided, change } = props;
  const { topic, participants } = status;
  const [isEditing, setEditing] = useState(false);
  const work = useWork();
  const submit = (event: SubmitEvent): void => {
    const { text = '' } = fieldsOf(event);
    void work.run(async () => {
      await change('topic', { text });
      setEditing(false);
    });
  };
  return (
    <section class="card stack">
      <h3>Vote</h3>
      {topic === undefined || isEditing ? (
        <form class="stack tight" onSubmit={submit}>
          <label class="field">
            What do you vote on?
            <input
              name="text"
              maxLength={160}
              required
              defaultValue={topic ?? ''}
              placeholder="Do we ship on Friday?"
            />
          </label>
          <button type="submit" disabled={work.busy}>
            Set the question
          </button>
        </form>
      ) : (
        <div class="row spread">
          <strong class="grow topic">{topic}</strong>
          <button type="button" class="quiet" onClick={() => setEditing(true)}>
            Change
          </button>
        </div>
      )}
      <p class="muted small">{startHint(participants.length, undecided)}</p>
      <button
        type="button"
        class="primary"
        disabled={participants.length === 0 || work.busy}
        onClick={() => work.run(() => change('start'))}
      >
        Start the vote
      </button>
      <ConfirmButton question="Really close it for everybody?" confirm={() => work.run(() => change('release'))}>
        Close this room
      </ConfirmButton>
      <Problem of={work} />
    </section>
  );
}

function startHint(ready: number, undecided: number): string {
  if (ready === 0) return 'You can start as soon as somebody is ready.';
  if (undecided === 0) return 'Everybody is ready.';
  return `${undecided} ${undecided === 1 ? 'person is' : 'people are'} not ready yet. You can start all the same.`;
}

const LABELS: Readonly<Record<Choice, string>> = { yes: 'Yes', no: 'No', abstain: 'Abstain' };
const CHOICES = Object.keys(LABELS) as Choice[];

export function Vote({ status, present, change }: RoomProps) {
  const { topic, participants, voted, you, your_choice, result } = status;
  const work = useWork();
  const heading = useRef<HTMLHeadingElement>(null);
  // The page changed without a click: a screen reader begins here.
  useLayoutEffect(() => heading.current?.focus(), [result === undefined]);
  const voters = `${participants.length} ${participants.length === 1 ? 'voter' : 'voters'}`;
  return (
    <div class="voting stack">
      <h2 class="headline" tabIndex={-1} ref={heading}>
        {result === undefined ? 'Voting has begun' : verdictOf(result)}
      </h2>
      {topic !== undefined && <p class="lead topic">{topic}</p>}
      <p class="muted" role="status">
        {voters} · {present} here now · {voted.length} of {participants.length} voted
      </p>
      {result !== undefined && <Tally result={result} />}
      {result === undefined && you !== undefined && (
        <fieldset class="choices" disabled={work.busy}>
          <legend class="visually-hidden">Your vote</legend>
          {CHOICES.map(choice => (
            <button
              type="button"
              key={choice}
              class="choice"
              aria-pressed={your_choice === choice}
              onClick={() => work.run(() => change('vote', { choice }))}
            >
              {LABELS[choice]}
            </button>
          ))}
        </fieldset>
      )}
      {result === undefined && (
        <p class="muted" role="status">
          {voteHint(you !== undefined, your_choice)}
        </p>
      )}
      <Problem of={work} />
      <section class="card stack">
        <h3>Voters</h3>
        <ul class="voters">
          {participants.map((name, index) => (
            <li key={index} class="badge" data-voter={name}>
              <Avatar name={name} id={`${index} ${name}`} />
              {name}
              {index === you && ' (you)'}
              {voted.includes(index) && <span class="good">✓ voted</span>}
            </li>
          ))}
        </ul>
      </section>
      <div class="row">
        {result === undefined && (
          <ConfirmButton question="Really end it for everybody?" confirm={() => work.run(() => change('end'))}>
            End the vote now
          </ConfirmButton>
        )}
        <a class="button" href="/">
          Take another room
        </a>
      </div>
    </div>
  );
}

function voteHint(isVoter: boolean, choice: Choice | undefined): string {
  if (!isVoter) return 'You watch this vote: only those who were ready at its start vote.';
  if (choice === undefined) return 'Your vote is secret. The vote ends when everybody has voted.';
  return 'Your vote is in. You may change it until the last one has voted.';
}

function verdictOf({ yes, no }: Result): string {
  if (yes === 0 && no === 0) return 'No decision';
  if (yes === no) return `A tie, ${yes} to ${no}`;
  return yes > no ? `Yes, ${yes} to ${no}` : `No, ${no} to ${yes}`;
}

function Tally({ result }: { readonly result: Result }) {
  const votes = Math.max(1, result.yes + result.no + result.abstain);
  return (
    <dl class="card tally">
      {CHOICES.map(choice => (
        <div key={choice} class={choice} data-result={`${choice} ${result[choice]}`}>
          <dt>{LABELS[choice]}</dt>
          <dd>
            <span class="bar-of" aria-hidden="true" style={{ width: `${(100 * result[choice]) / votes}%` }} />
          </dd>
          <dd>{result[choice]}</dd>
        </div>
      ))}
    </dl>
  );
}

export function Gone({ words }: { readonly words: string }) {
  return (
    <section class="card narrow stack">
      <h2>This room is gone</h2>
      <p class="muted">{words}</p>
      <a class="button primary" href="/">
        Take another room
      </a>
    </section>
  );
}

const CONFIRM_MS = 4000;

/** Asks for a second click within a few seconds. */
function ConfirmButton(props: { readonly question: string; readonly children: string; confirm(): unknown }) {
  const [isAsking, setAsking] = useState(false);
  useLayoutEffect(() => {
    if (!isAsking) return;
    const timer = setTimeout(() => setAsking(false), CONFIRM_MS);
    return () => clearTimeout(timer);
  }, [isAsking]);
  const press = (): void => {
    setAsking(!isAsking);
    if (isAsking) props.confirm();
  };
  return (
    <button type="button" class={isAsking ? 'danger' : 'quiet'} onClick={press}>
      {isAsking ? props.question : props.children}
    </button>
  );
}
