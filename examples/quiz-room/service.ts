/** Quiz room: a host, players, and connections that drop. */
import type { Example, ServiceParts } from '../service/example.js';
import { hearPlayers } from './quiz-events.js';
import { serveQuiz } from './quiz-http.js';
import { followRegistry } from './registry.js';
import { RoomKeeper } from './room-keeper.js';

const STATE_TTL_MS = 6 * 3_600_000;

export const quizRoom: Example = {
  name: 'quiz-room',
  title: 'Quiz night',
  stateTtlMs: STATE_TTL_MS,
  start: startQuizRoom,
};

function startQuizRoom(parts: ServiceParts): void {
  const { hubbub, documents, timeMs, onClose } = parts;
  const rooms = new RoomKeeper(hubbub, documents, {
    cleanupAfterMs: timeMs('EXAMPLE_CLEANUP_AFTER_MS', 5 * 60_000),
    lookEveryMs: timeMs('EXAMPLE_LOOK_EVERY_MS', 1000),
    forgottenAfterMs: STATE_TTL_MS,
  });
  serveQuiz(parts, rooms);
  hearPlayers(parts, rooms, { questionMs: timeMs('EXAMPLE_QUESTION_MS', 20_000) });
  followRegistry(parts, rooms);
  rooms.start();
  onClose(() => rooms.stop());
}
