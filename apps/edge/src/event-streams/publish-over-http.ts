/** `POST /rooms/{room_id}/messages`: a session of one frame, with the limits and the handler of `send_message`. */
import { type Frame, HubbubError, isPlainObject, jsonCodec } from '@hubbub/protocol';
import { parseClientFrame } from '@hubbub/protocol/client-frame';
import type { Admitted } from '../admission/admission.js';
import type { Revocations } from '../admission/revocations.js';
import { createReceiver, type ReceiverParts } from '../sessions/receiver.js';
import { Session } from '../sessions/session.js';
import { AnswerSocket } from './answer-socket.js';

/**
 * Call it when the body is there.
 * @param answer gets the `ack` or the `error`, once
 * @throws {HubbubError} `UNAUTHORIZED` or `FORBIDDEN`: the tokens were checked before, and revoked meanwhile
 */
export type PublishOverHttp = (admitted: Admitted, body: Uint8Array, answer: (frame: Frame) => void) => void;

export interface PublishParts extends Omit<ReceiverParts, 'decode'> {
  readonly revocations: Pick<Revocations, 'assertAccess'>;
  /** Gives back what the session held of the limits. */
  readonly release: (session: Session) => void;
}

/** Fields of the body; a frame has further ones, which a client might expect to count. */
const FIELDS: ReadonlySet<string> = new Set(['payload', 'message_id']);
/** Every frame is answered that has one. */
const FRAME_ID = 'post';

export function createPublishOverHttp({ revocations, release, ...parts }: PublishParts): PublishOverHttp {
  const receive = createReceiver({
    ...parts,
    decode({ pathRoom: room }, bytes) {
      const body = jsonCodec.decode(bytes);
      if (!isPlainObject(body)) throw new HubbubError('INVALID_FORMAT', 'The body must be a JSON object.');
      const unknown = Object.keys(body).find(name => !FIELDS.has(name));
      if (unknown !== undefined) {
        throw new HubbubError('INVALID_FORMAT', 'The body has fields other than payload and message_id.');
      }
      return parseClientFrame({ ...body, type: 'send_message', id: FRAME_ID, room });
    },
  });
  return (admitted, body, answer) => {
    const { room, grant } = admitted;
    revocations.assertAccess(admitted.user.id, admitted.token, 'session');
    if (grant?.token !== undefined) revocations.assertAccess(admitted.user.id, grant.token, 'room_token');
    const socket = new AnswerSocket(frame => {
      release(session);
      answer(frame);
    });
    const session = new Session(admitted.sessionId, socket, admitted);
    session.state = 'open';
    if (room !== undefined) {
      // It may join, which admission has checked. No audience has it: the user's own sessions get the message, too.
      session.rooms.add(room);
      if (grant !== undefined) session.grant(room, grant);
    }
    receive(session, body, false);
  };
}
