/** The examples there are, by name. */
import { chat } from './chat/service.js';
import { pairwiseSession } from './pairwise-session/service.js';
import { quizRoom } from './quiz-room/service.js';
import type { Example } from './service/example.js';
import { taskEvents } from './task-events/service.js';
import { votingRoom } from './voting-room/service.js';

export const EXAMPLES: readonly Example[] = [votingRoom, pairwiseSession, quizRoom, chat, taskEvents];

/** @throws {Error} naming those there are. */
export function findExample(name: string | undefined): Example {
  const example = EXAMPLES.find(candidate => candidate.name === name);
  if (example !== undefined) return example;
  throw new Error(
    `There is no example ${name ?? '(none named)'}; there are: ${EXAMPLES.map(each => each.name).join(', ')}`,
  );
}
