/** Dead letters: the events that a group gave up, to list and to hand out again. */
import { type BrokerClient, DEAD_LETTERS_MAX, type DeadLetter, type LifecycleLetter } from '@hubbub/broker';
import { groupName, namespaceName, streamId, wholeNumber } from './checks.js';
import type { Gate } from './gate.js';

export interface DeadLetters {
  /**
   * Events of a namespace that this group gave up, oldest first; the newest 10,000 are kept.
   * @param limit 1 to 10,000. Default 100
   * @throws {HubbubError} `INVALID_FORMAT`, `UNAVAILABLE`
   * @example for (const { event, reason } of await hubbub.deadLetters('game', 'referee')) console.log(event?.type, reason);
   */
  deadLetters(namespace: string, group: string, limit?: number): Promise<readonly DeadLetter[]>;
  /**
   * Appends the event of a dead letter again, for its group alone, and removes the letter. The group handles it after the
   * events that wait, with new attempts.
   * @param letterId of `deadLetters`
   * @returns whether there was such a letter; false as well for one without an event (reason `malformed`)
   * @throws {HubbubError} `INVALID_FORMAT`, `UNAVAILABLE`, `OUTCOME_UNKNOWN`
   * @example for (const { letterId } of await hubbub.deadLetters('game', 'referee')) await hubbub.replayDeadLetter('game', 'referee', letterId);
   */
  replayDeadLetter(namespace: string, group: string, letterId: string): Promise<boolean>;
  /**
   * Lifecycle events that this group gave up, oldest first; the newest 10,000 are kept, for a day after the group's last
   * activity. They are about the past: query `presence` for the current state.
   * @param limit 1 to 10,000. Default 100
   * @throws {HubbubError} `INVALID_FORMAT`, `UNAVAILABLE`
   */
  lifecycleDeadLetters(group: string, limit?: number): Promise<readonly LifecycleLetter[]>;
  /** Gives the event of a lifecycle dead letter to its group again. Else as `replayDeadLetter`. */
  replayLifecycleDeadLetter(group: string, letterId: string): Promise<boolean>;
}

/** The letters of one group. */
interface Letters<Letter> {
  deadLetters(limit: number): Promise<readonly Letter[]>;
  replay(letterId: string): Promise<string | undefined>;
}

export function createDeadLetters({ events, lifecycle }: BrokerClient, gate: Gate): DeadLetters {
  const eventGroup = (namespace: string, group: string) => () =>
    events.group(namespaceName(namespace), groupName(group));
  const lifecycleGroup = (group: string) => () => lifecycle.group(groupName(group));
  const list = <Letter>(open: () => Letters<Letter>, limit = 100) =>
    gate.pass(() => open().deadLetters(wholeNumber('limit', limit, 1, DEAD_LETTERS_MAX)));
  const replay = (open: () => Letters<unknown>, letterId: string) =>
    gate.pass(async () => (await open().replay(streamId('letterId', letterId))) !== undefined);
  return {
    deadLetters: (namespace, group, limit) => list(eventGroup(namespace, group), limit),
    replayDeadLetter: (namespace, group, letterId) => replay(eventGroup(namespace, group), letterId),
    lifecycleDeadLetters: (group, limit) => list(lifecycleGroup(group), limit),
    replayLifecycleDeadLetter: (group, letterId) => replay(lifecycleGroup(group), letterId),
  };
}
