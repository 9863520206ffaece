/** The frame that everybody in a room gets after each change: the whole state, without secrets. */
import type { Payload } from '@hubbub/server';
import { questionSet } from './question-sets.js';
import { type Member, pointsFor, type QuizRoom, questionsOf, scoreOf } from './quiz.js';

export function stateFrame(room: QuizRoom): { readonly type: 'state'; readonly payload: Payload } {
  const { code, version, round, phase, setId } = room;
  return {
    type: 'state',
    payload: {
      code,
      version,
      round,
      phase,
      set: setId,
      title: questionSet(setId).title,
      questions: questionsOf(room).length,
      members: room.members.filter(({ entered }) => entered).map(member => memberOf(room, member)),
      ...(phase !== 'lobby' && phase !== 'ended' && questionOf(room)),
    },
  };
}

function memberOf(room: QuizRoom, { id, name, role, online, lastSeenMs }: Member): Payload {
  const current = room.asked.length - 1;
  const last = {
    ...(!online && { online, last_seen: new Date(lastSeenMs ?? room.lastActivityAtMs).toISOString() }),
  };
  if (role === 'host') return { id, name, role, ...last };
  const gained = room.asked[current]?.ended === true ? pointsFor(room, current, id) : 0;
  return { id, name, role, score: scoreOf(room, id), gained, ...last };
}

/** The right answer and who answered what only when the question is over. */
function questionOf(room: QuizRoom): Payload {
  const index = room.asked.length - 1;
  const asked = room.asked[index];
  const question = questionsOf(room)[index];
  if (asked === undefined || question === undefined) return {};
  const choices = Object.entries(asked.answers).map(([id, { choice }]) => [id, choice]);
  return {
    question: {
      index,
      text: question.text,
      answers: question.answers,
      ends_at_ms: asked.endsAtMs,
      duration_ms: asked.durationMs,
      answered: Object.keys(asked.answers),
      ...(asked.ended && { right: question.right, choices: Object.fromEntries(choices) }),
    },
  };
}
