/** What the rules of the quiz do not allow: told to who asked, by HTTP or as an `error` frame. */

export type RefusalCode =
  | 'INVALID_PAYLOAD'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'NAME_TAKEN'
  | 'NAME_INVALID'
  | 'ROOM_FULL'
  | 'NO_PLAYERS'
  | 'TOO_LATE'
  | 'ALREADY_ANSWERED';

export class Refusal extends Error {
  readonly statusCode: number;
  readonly code: RefusalCode;

  constructor(statusCode: number, code: RefusalCode, message: string) {
    super(message);
    this.statusCode = statusCode;
    this.code = code;
  }
}
