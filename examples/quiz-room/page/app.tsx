/** The page of the quiz room: the door, the room with the screen of its phase, and the podium. */
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useState } from 'preact/hooks';
import { ask, newId, useRedraw } from '../../page/hub.js';
import { Avatar, Confetti, fieldsOf, PageBar, Problem, showPage, useWork } from '../../page/ui.js';
import {
  codeInAddress,
  hostOf,
  joinQuiz,
  nameInAddress,
  type Place,
  placesOf,
  Quiz,
  type QuizState,
  rememberedSeat,
  type Seat,
  scoreNow,
  takeSeat,
} from './quiz.js';
import { Lobby, QuestionScreen, Scores, type ScreenProps, Shapes } from './views.js';
import '../../page/choices.css';

const HUE = 298;
const PASS_BYTES = 16;
const CHEERS = ['👏', '🎉', '😂', '😮', '❤️'];
const CODE_INPUT = { autocomplete: 'off', autocapitalize: 'characters', spellcheck: false } as const;

function App() {
  const [seat, setSeat] = useState(() => {
    const known = rememberedSeat('tab');
    return ['', known?.code].includes(codeInAddress()) ? known : undefined;
  });
  const leave = (): void => {
    nameInAddress(undefined);
    setSeat(undefined);
  };
  return seat === undefined ? <Door enter={setSeat} /> : <RoomPage key={seat.pass} seat={seat} leave={leave} />;
}

/** Join by a code, open a room, or return to the seat that this browser remembers. */
function Door({ enter }: { enter(seat: Seat): void }) {
  const code = codeInAddress();
  const remembered = rememberedSeat('browser');
  return (
    <>
      <PageBar title="Quiz night" />
      <main class="door stack">
        <div class="centered">
          <Shapes />
          <h2 class="headline">{code === '' ? 'Quiz night' : 'You are invited to a quiz'}</h2>
          <p class="muted">
            One hosts, everybody plays on their own screen. You keep your seat if the connection breaks.
          </p>
        </div>
        {remembered !== undefined && (code === '' || remembered.code === code) && (
          <div class="card row spread">
            <span>
              You were in room <strong class="code">{remembered.code}</strong> as {remembered.name}.
            </span>
            <button type="button" class="primary" onClick={() => enter(remembered)}>
              Return as {remembered.name}
            </button>
          </div>
        )}
        <div class="doors">
          <SeatForm title="Join" action="Join the quiz" isPrimary enter={enter} take={joinQuiz}>
            <label class="field">
              Room code
              <input
                class="code-input"
                name="code"
                required
                maxLength={12}
                placeholder="CODE"
                {...CODE_INPUT}
                defaultValue={code}
              />
            </label>
          </SeatForm>
          <SeatForm
            title="Host"
            action="Open a room"
            enter={enter}
            take={(pass, body) => takeSeat('/api/rooms', pass, body)}
          >
            <SetField />
          </SeatForm>
        </div>
      </main>
    </>
  );
}

function SeatForm(props: {
  readonly title: string;
  readonly action: string;
  readonly isPrimary?: boolean;
  readonly children: ComponentChildren;
  take(pass: string, fields: Readonly<Record<string, string>>): Promise<Seat>;
  enter(seat: Seat): void;
}) {
  const work = useWork();
  // One for all attempts: a request may have taken the seat although its answer was lost.
  const [pass] = useState(() => newId(PASS_BYTES));
  const submit = (event: SubmitEvent): void => {
    const fields = fieldsOf(event);
    void work.run(async () => props.enter(await props.take(pass, fields)));
  };
  return (
    <form class="card stack" aria-label={props.title} onSubmit={submit}>
      <h3>{props.title}</h3>
      {props.children}
      <label class="field">
        Your name
        <input name="name" required autocomplete="nickname" placeholder="At most 24 characters" />
      </label>
      <Problem of={work} />
      <button type="submit" class={props.isPrimary ? 'primary' : ''} disabled={work.busy}>
        {props.action}
      </button>
    </form>
  );
}

function RoomPage({ seat, leave }: { readonly seat: Seat; leave(): void }) {
  const redraw = useRedraw();
  const [quiz] = useState(() => new Quiz(seat, redraw));
  const work = useWork();
  const open = () => work.run(() => quiz.open());
  useLayoutEffect(() => {
    nameInAddress(seat.code);
    void open();
  }, []);
  const { closed, client } = quiz;
  const giveUp = (): void => {
    quiz.leave();
    leave();
  };
  return (
    <>
      <PageBar title="Quiz night" client={closed === undefined ? client : undefined}>
        <span class="badge accent code" title="Code of the room">
          {seat.code}
        </span>
      </PageBar>
      <main>
        {closed !== undefined ? (
          <div class="card narrow stack centered">
            <Shapes />
            <h2>This room is closed</h2>
            <p class="muted" role="status">
              {closed}
            </p>
            <button type="button" class="primary" onClick={leave}>
              To the start
            </button>
          </div>
        ) : work.problem !== '' ? (
          <div class="card narrow stack">
            <Problem of={work} />
            <button type="button" class="primary" onClick={() => void open()}>
              Try again
            </button>
          </div>
        ) : quiz.state === undefined ? (
          <p class="empty" role="status">
            Entering the room …
          </p>
        ) : (
          <Screen quiz={quiz} state={quiz.state} leave={giveUp} />
        )}
      </main>
    </>
  );
}

/** The screen of the phase, and what does not depend on it. */
function Screen({ quiz, state, leave }: { readonly quiz: Quiz; readonly state: QuizState; leave(): void }) {
  const host = hostOf(state);
  const question = state.question;
  return (
    <>
      {host?.online === false && quiz.me.role === 'player' && (
        <p class="banner" role="status">
          {host.name} is offline. The room stays open, and your points are safe.
        </p>
      )}
      {state.phase === 'lobby' && <Lobby quiz={quiz} state={state} leave={leave} />}
      {state.phase === 'ended' && <Podium quiz={quiz} state={state} />}
      {question !== undefined && (
        <QuestionScreen key={`${state.round} ${question.index}`} quiz={quiz} state={state} question={question} />
      )}
      {quiz.cheers.map(({ id, emoji, name, x }) => (
        <span key={id} class="float" aria-hidden="true" data-cheer={name} style={{ '--x': x }}>
          {emoji}
        </span>
      ))}
    </>
  );
}

/** The first three, in the order of a podium: second, first, third. */
const STEPS = [1, 0, 2];

/** The end: the podium, all places, cheers, and another quiz. */
function Podium({ quiz, state }: ScreenProps) {
  const places = placesOf(state, scoreNow);
  const hasWinner = places.some(({ member }) => scoreNow(member) > 0);
  return (
    <div class="ending stack">
      <section class="card stack centered">
        <h2 class="headline" aria-live="polite">
          {hasWinner ? winnerWords(quiz, places) : `That was it. Thanks to ${hostOf(state)?.name ?? 'the host'}!`}
        </h2>
        {hasWinner && <Confetti />}
        {hasWinner && (
          <ol class="podium" aria-label="The first three">
            {STEPS.flatMap(step => {
              const { member, place } = places[step] ?? {};
              if (member === undefined) return [];
              return (
                <li key={member.id} class={`step step${step}`} data-podium={place}>
                  <Avatar name={member.name} id={member.id} />
                  <strong>{member.name}</strong>
                  <span class="block">
                    <span class="rank">{place}</span>
                    <span class="small">{scoreNow(member).toLocaleString('en')}</span>
                  </span>
                </li>
              );
            })}
          </ol>
        )}
        <div class="row cheers">
          {CHEERS.map(emoji => (
            <button
              type="button"
              key={emoji}
              class="quiet icon"
              aria-label={`Cheer ${emoji}`}
              onClick={() => quiz.tell('cheer', { emoji })}
            >
              {emoji}
            </button>
          ))}
        </div>
      </section>
      <Scores quiz={quiz} state={state} />
      {quiz.me.role === 'host' && <Again quiz={quiz} state={state} />}
      <p class="muted small centered">The room closes after a while without activity.</p>
    </div>
  );
}

function winnerWords({ me }: Quiz, places: readonly Place[]): string {
  const winners = places.filter(({ place }) => place === 1).map(({ member }) => member);
  if (winners.some(({ id }) => id === me.id)) {
    return winners.length === 1 ? 'You have won!' : 'You share the first place!';
  }
  return `${new Intl.ListFormat('en').format(winners.map(({ name }) => name))} ${winners.length === 1 ? 'has' : 'have'} won!`;
}

/** Another quiz with the same people. */
function Again({ quiz, state: { round, set } }: ScreenProps) {
  const submit = (event: SubmitEvent): void => void quiz.tell('play_again', { round, ...fieldsOf(event) });
  return (
    <form class="card stack" onSubmit={submit}>
      <h3>Another one?</h3>
      <div class="row">
        <SetField after={set} />
        <button type="submit" class="primary">
          Play again
        </button>
      </div>
    </form>
  );
}

/** The sets of questions; `after` selects the next one. */
function SetField({ after = '' }: { readonly after?: string }) {
  const [sets, setSets] = useState([{ id: 'mixed', title: 'A bit of everything', questions: 5 }]);
  useLayoutEffect(() => {
    ask<typeof sets>('GET', '/api/sets').then(setSets, () => {}); // Without an answer, the first set is there.
  }, []);
  const next = sets[(sets.findIndex(({ id }) => id === after) + 1) % sets.length]?.id;
  return (
    <label class="field grow">
      Questions
      <select name="set" key={next} defaultValue={next}>
        {sets.map(({ id, title, questions }) => (
          <option key={id} value={id} selected={id === next}>
            {title} ({questions} questions)
          </option>
        ))}
      </select>
    </label>
  );
}

showPage(<App />, HUE);
