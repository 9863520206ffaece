/** The audience of a message: a room, a user with every session, or everybody. publish and tail share these arguments. */
import { HubbubError, isRoomName, userIdProblem } from '@hubbub/protocol';
import { wrongUse } from './command-line.js';

export type Audience =
  | { readonly kind: 'room'; readonly room: string }
  | { readonly kind: 'user'; readonly user: string }
  | { readonly kind: 'all' };

export interface AudienceOptions {
  readonly user?: string;
  readonly all?: boolean;
}

/**
 * The room is the first word, unless an option names the audience.
 * @returns the audience, and the words that are left
 * @throws {CommandFailure} wrong use
 */
export function audienceOf(
  words: readonly string[],
  { user, all = false }: AudienceOptions,
  help: string,
): { audience: Audience; rest: readonly string[] } {
  if (user !== undefined && all) throw wrongUse('expected --user or --all, not both', help);
  if (user !== undefined) {
    const problem = userIdProblem(user);
    if (problem !== undefined) throw wrongUse(`--user: this id ${problem}`, help);
    return { audience: { kind: 'user', user }, rest: words };
  }
  if (all) return { audience: { kind: 'all' }, rest: words };
  const [room, ...rest] = words;
  if (room === undefined) throw wrongUse('expected a room, or --user <id>, or --all', help);
  if (!isRoomName(room)) throw new HubbubError('INVALID_ROOM', `"${room}" is not a room name; see: ${help} --help`);
  return { audience: { kind: 'room', room }, rest };
}

/** For people. */
export function nameOf(audience: Audience): string {
  switch (audience.kind) {
    case 'room':
      return audience.room;
    case 'user':
      return `user ${audience.user}`;
    case 'all':
      return 'everybody';
  }
}
