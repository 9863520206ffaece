/** An action that the rules of the quiz forbid: answered by HTTP or with an `error` frame. */

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
