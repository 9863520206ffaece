/** Why a promise that was made to the application will not be kept. */
import { HubbubError } from '@hubbub/protocol';

export function closedError(): HubbubError {
  return new HubbubError('UNAVAILABLE', 'The client is closed.');
}

export function leftError(room: string): HubbubError {
  return new HubbubError('UNAVAILABLE', `Room ${room} was left before the frame was sent.`);
}
