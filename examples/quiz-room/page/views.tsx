/** The screens of the phases of a quiz: the lobby, and a question with its answer and the scores. */
import { useLayoutEffect, useState } from 'preact/hooks';
import { shareableUrl, useRedraw } from '../../page/hub.js';
import { Avatar, CopyButton, useKeys } from '../../page/ui.js';
import {
  hostOf,
  type MemberState,
  placesOf,
  playersOf,
  type QuestionState,
  type Quiz,
  type QuizState,
  scoreBefore,
  scoreNow,
} from './quiz.js';

export interface ScreenProps {
  readonly quiz: Quiz;
  readonly state: QuizState;
}

const SHAPES = ['▲', '◆', '●', '■'];
const HAS_KEYS = matchMedia('(pointer: fine)').matches;

export function Shapes() {
  return (
    <p class="shapes" aria-hidden="true">
      {SHAPES.map((shape, index) => (
        <span key={shape} class={`shape a${index}`}>
          {shape}
        </span>
      ))}
    </p>
  );
}

/** The code to share, the people, and the host's button. */
export function Lobby({ quiz, state, leave }: ScreenProps & { leave(): void }) {
  const { code, title, questions } = state;
  const [link, setLink] = useState('');
  useLayoutEffect(() => void shareableUrl(`/?room=${code}`).then(setLink), [code]);
  const players = playersOf(state).length;
  const isHost = quiz.me.role === 'host';
  return (
    <div class="columns">
      <div class="stack">
        <section class="card invitation">
          <p class="muted">
            Join at <strong data-address>{link && new URL(link).host}</strong> with the code
          </p>
          <p class="big-code" role="img" aria-label={`Code ${[...code].join(' ')}`} data-code={code}>
            {[...code].map((letter, index) => (
              <span key={index}>{letter}</span>
            ))}
          </p>
          <CopyButton text={link}>Copy the link</CopyButton>
        </section>
        <section class="card stack">
          <h2>
            {title}, {questions} questions
          </h2>
          <p class="muted" aria-live="polite">
            {isHost ? hostWords(players) : `You are in! Waiting for ${hostOf(state)?.name ?? 'the host'} to start.`}
          </p>
          {isHost ? (
            <button type="button" class="primary big" disabled={players === 0} onClick={() => quiz.tell('start_quiz')}>
              Start the quiz
            </button>
          ) : (
            <button type="button" class="quiet" onClick={leave}>
              Leave
            </button>
          )}
        </section>
      </div>
      <People quiz={quiz} state={state} />
    </div>
  );
}

function hostWords(players: number): string {
  if (players === 0) return 'There are no players yet. Share the code, then start.';
  return `${players === 1 ? 'One player is' : `${players} players are`} in. Start when everybody is here.`;
}

function People({ quiz, state }: ScreenProps) {
  const { members, phase, question } = state;
  return (
    <section class="card stack">
      <div class="row spread">
        <h3>In the room</h3>
        <span class="badge accent">
          {members.length} {members.length === 1 ? 'person' : 'people'}
        </span>
      </div>
      <ul class="list" aria-label="People in the room">
        {members.map(({ id, name, role, online, last_seen }) => (
          <li key={id} class={online === false ? 'away' : ''} data-member={name} data-online={online !== false}>
            <Avatar name={name} id={id} />
            <span class="name">
              {name}
              {id === quiz.me.id && <span class="muted"> (you)</span>}
              <span class="small muted status-line">
                {online === false ? offlineWords(last_seen) : roleWords(role)}
              </span>
            </span>
            {phase === 'question' && question?.answered.includes(id) && <span class="badge good">✓ answered</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}

function roleWords(role: MemberState['role']): string {
  return role === 'host' ? '★ host' : 'online';
}

function offlineWords(lastSeen: string | undefined): string {
  if (lastSeen === undefined) return 'offline';
  return `offline since ${new Date(lastSeen).toLocaleTimeString([], { timeStyle: 'short' })}`;
}

/** A question, from its countdown to its answer, and the scores after it. */
export function QuestionScreen({ quiz, state, question }: ScreenProps & { readonly question: QuestionState }) {
  const { round, phase, questions } = state;
  const { index, text, answers } = question;
  const isHost = quiz.me.role === 'host';
  const isOver = phase === 'reveal';
  const step = { round, question: index };
  const own = quiz.ownAnswer(round, index);
  const mine = question.choices?.[quiz.me.id] ?? own?.choice;
  const [kind, words] = isOver ? resultWords(quiz, state) : waitingWords(quiz, state, mine);
  const number = `Question ${index + 1} of ${questions}`;
  useKeys(event => {
    const choice = Number(event.key) - 1;
    if (answers[choice] !== undefined) void quiz.choose(choice);
  });
  return (
    <div class="columns">
      <section class="stack" data-question={index}>
        <div class="card question">
          <div>
            <h3>{number}</h3>
            <h2>{text}</h2>
          </div>
          {!isOver && <Countdown quiz={quiz} question={question} />}
        </div>
        <p class="visually-hidden" aria-live="polite">
          {isOver ? `The right answer: ${answers[question.right ?? 0]}.` : `${number}: ${text}`}
        </p>
        <div class="answers">
          {answers.map((answer, choice) => (
            <button
              type="button"
              key={choice}
              class={`answer a${choice} ${answerKind(question, choice, mine)}`}
              data-choice={choice}
              disabled={isHost || isOver || mine !== undefined}
              aria-pressed={mine === choice}
              onClick={() => quiz.choose(choice)}
            >
              <span aria-hidden="true">{SHAPES[choice]}</span>
              <span class="text">{answer}</span>
              {isOver ? <Times question={question} choice={choice} /> : <kbd>{choice + 1}</kbd>}
            </button>
          ))}
        </div>
        <p class={`verdict status ${kind}`} role="status" data-answer={own?.state ?? 'none'}>
          {words}
        </p>
        {isHost && (
          <div class="row host-controls">
            {isOver ? (
              <button type="button" class="primary" onClick={() => quiz.tell('next_question', step)}>
                {index + 1 < questions ? 'Next question' : 'To the podium'}
              </button>
            ) : (
              <button type="button" onClick={() => quiz.tell('end_question', step)}>
                Show the answer now
              </button>
            )}
            <button type="button" class="quiet" onClick={() => quiz.tell('end_quiz', { round })}>
              End the quiz
            </button>
          </div>
        )}
      </section>
      <aside>{isOver ? <Scores quiz={quiz} state={state} /> : <People quiz={quiz} state={state} />}</aside>
    </div>
  );
}

function answerKind({ right }: QuestionState, choice: number, mine: number | undefined): string {
  const own = mine === choice ? 'mine' : '';
  if (right === undefined) return mine !== undefined && mine !== choice ? 'faded' : own;
  return right === choice ? `${own} right` : `${own} faded`;
}

/** How often an answer was chosen. */
function Times({ question, choice }: { readonly question: QuestionState; readonly choice: number }) {
  const times = Object.values(question.choices ?? {}).filter(each => each === choice).length;
  return <span title={`${times} chose it`}>{question.right === choice ? `✓ ${times}` : times}</span>;
}

function waitingWords(quiz: Quiz, state: QuizState, mine: number | undefined): [kind: string, words: string] {
  const { round, question } = state;
  const count = `${question?.answered.length ?? 0} of ${playersOf(state).length} answered.`;
  if (quiz.me.role === 'host') return ['', count];
  if (mine === undefined) {
    return ['', `Choose an answer: quick ones get more points.${HAS_KEYS ? ' Keys 1 to 4 work, too.' : ''}`];
  }
  const isIn = quiz.ownAnswer(round, question?.index ?? 0)?.state !== 'sent';
  return ['accent', isIn ? `Your answer is in. ${count}` : 'Sending your answer …'];
}

function resultWords({ me }: Quiz, state: QuizState): [kind: string, words: string] {
  const { right, choices = {} } = state.question ?? {};
  if (me.role === 'host') {
    const count = Object.values(choices).filter(choice => choice === right).length;
    return ['', `${count} of ${playersOf(state).length} had it right.`];
  }
  const mine = choices[me.id];
  if (mine === undefined) return ['warn', 'No answer in time. The next one is yours.'];
  const gained = state.members.find(({ id }) => id === me.id)?.gained ?? 0;
  return mine === right ? ['good', `Right! ${gained} points.`] : ['bad', 'Not this time.'];
}

const TICK_MS = 100;
const HURRY_S = 5;

/** The seconds that are left, in a ring that empties. */
function Countdown({ quiz, question }: { readonly quiz: Quiz; readonly question: QuestionState }) {
  const redraw = useRedraw();
  useLayoutEffect(() => {
    const tick = setInterval(redraw, TICK_MS);
    return () => clearInterval(tick);
  }, []);
  const leftMs = Math.max(0, question.ends_at_ms - quiz.now());
  const seconds = Math.ceil(leftMs / 1000);
  const left = `${Math.min(100, (100 * leftMs) / question.duration_ms)}%`;
  return (
    <div
      class={`ring ${seconds <= HURRY_S ? 'hurry' : ''}`}
      role="timer"
      aria-label="Time left"
      style={{ '--left': left }}
    >
      <span>{seconds}</span>
    </div>
  );
}

/** The places; after a question, each row moves from its place before the question. */
export function Scores({ quiz, state }: ScreenProps) {
  const before = placesOf(state, scoreBefore);
  const hasMoved = state.phase === 'reveal' && before.some(({ member }) => scoreBefore(member) > 0);
  return (
    <section class="card stack">
      <h3>Scores</h3>
      <ol class="scores" aria-label="Scores">
        {placesOf(state, scoreNow).map(({ member: { id, name, score = 0, gained = 0, online }, place }, index) => {
          const from = before.findIndex(({ member }) => member.id === id) - index;
          const by = (before.find(({ member }) => member.id === id)?.place ?? place) - place;
          return (
            <li
              key={id}
              class={`${id === quiz.me.id ? 'mine' : ''} ${online === false ? 'away' : ''} ${hasMoved ? 'moves' : ''}`}
              style={{ '--from': from }}
              data-player={name}
              data-score={score}
            >
              <span class="place">{place}</span>
              <Avatar name={name} id={id} />
              <span class="name">{name}</span>
              {state.phase === 'reveal' && <span class={`badge ${gained > 0 ? 'good' : ''}`}>+{gained}</span>}
              {hasMoved && by !== 0 && <span class="small">{by > 0 ? `▲ ${by}` : `▼ ${-by}`}</span>}
              <strong>{score.toLocaleString('en')}</strong>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
