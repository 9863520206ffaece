/**
 * The protocol of each kind of relay: how a client joins a room and sends a message.
 * Also classifies the frames that are not messages.
 */
import { RawSocket } from '@hubbub/tools/kit';
import { APP, APP_NAMESPACE } from '../relays/app.mjs';
import { digits, NUMBER_DIGITS, TIME_DIGITS } from './messages.mjs';
import { RawEventStream } from './raw-event-stream.mjs';

/** Frames of about 250 bytes, with sender and timestamp. */
const TEXT = 'x'.repeat(40);

/**
 * @typedef {'ready' | 'ack' | 'trouble' | 'other'} Heard
 * @typedef {object} Dialect
 * @property {(room: string, talks: boolean) => string} path
 * @property {boolean} readyOnOpen whether the upgrade's response confirms the join
 * @property {(talks: boolean) => typeof RawSocket | typeof RawEventStream} transport
 * @property {(frame: Buffer, socket: RawSocket, room: string) => Heard} hear classifies a frame that is not a message
 * @property {(room: string, number: number, nowUs: number) => string} encode returns the frame of a message
 */

const overWebSocket = { transport: () => RawSocket };

/** @type {Dialect} */
const hubbub = {
  ...overWebSocket,
  path: room => `/rooms/${room}/ws`,
  readyOnOpen: false,
  hear(frame) {
    if (frame.indexOf('"ack"') >= 0) return 'ack';
    if (frame.indexOf('welcome') >= 0) return 'ready';
    return frame.indexOf('"error"') >= 0 || frame.indexOf('"room_gap"') >= 0 ? 'trouble' : 'other';
  },
  /** Includes a `message_id`, as the client SDK does: it is the idempotency key where the room has a history. */
  encode: (room, number, nowUs) => {
    const id = `m${number}`;
    return JSON.stringify({ type: 'send_message', room, id, message_id: id, payload: payloadOf(number, nowUs) });
  },
};

/** @type {Record<string, Dialect>} */
export const DIALECTS = {
  bare: {
    ...overWebSocket,
    path: (room, talks) => `/rooms/${room}/ws${talks ? '?talks=1' : ''}`,
    readyOnOpen: true,
    hear: frame => (frame.indexOf('"ack"') < 0 ? 'other' : 'ack'),
    encode: (room, number, nowUs) =>
      JSON.stringify({ type: 'new_message', room, id: `m${number}`, payload: payloadOf(number, nowUs) }),
  },
  hubbub,
  /** Events for services, which reach no member. */
  'hubbub-events': {
    ...hubbub,
    encode: (room, number, nowUs) =>
      JSON.stringify({ type: 'move', room, id: `m${number}`, payload: payloadOf(number, nowUs) }),
  },
  /** Readers of server-sent events; talkers have a WebSocket. */
  'hubbub-sse': {
    ...hubbub,
    transport: talks => (talks ? RawSocket : RawEventStream),
    path: (room, talks) => (talks ? hubbub.path(room) : `/rooms/${room}/events`),
    hear(event, socket, room) {
      if (event.indexOf('event: room_opened') >= 0) return 'ready';
      if (event.indexOf('event: close') >= 0) return 'trouble';
      const heard = hubbub.hear(event, socket, room);
      return heard === 'ready' && socket instanceof RawEventStream ? 'other' : heard; // Its rooms follow the welcome.
    },
  },
  /** Members of a channel of the Pusher protocol, with Hubbub's own protocol. */
  'hubbub-channel': { ...hubbub, path: room => hubbub.path(`${APP_NAMESPACE}:${room}`) },
  /** Public channels; members send nothing. */
  pusher: {
    ...overWebSocket,
    path: () => `/app/${APP.key}?protocol=7&client=js&version=8.6.0&flash=false`,
    readyOnOpen: false,
    hear(frame, socket, room) {
      if (frame.indexOf('connection_established') >= 0) {
        socket.send(JSON.stringify({ event: 'pusher:subscribe', data: { channel: room } }));
        return 'other';
      }
      if (frame.indexOf('subscription_succeeded') >= 0) return 'ready';
      return frame.indexOf('error') >= 0 ? 'trouble' : 'other';
    },
    encode: () => {
      throw new Error('Members of public channels send nothing.');
    },
  },
  /** Engine.IO 4 over WebSocket alone, Socket.IO 5 in its frames. */
  'socket-io': {
    ...overWebSocket,
    path: room => `/socket.io/?EIO=4&transport=websocket&room=${room}`,
    readyOnOpen: false,
    hear(frame, socket) {
      const text = frame.toString('latin1', 0, 2);
      if (text === '2')
        socket.send('3'); // Its heartbeat.
      else if (text === '0{') socket.send('40');
      return text === '40' ? 'ready' : text === '43' ? 'ack' : text === '44' || text === '41' ? 'trouble' : 'other';
    },
    encode: (room, number, nowUs) =>
      `42${number}${JSON.stringify(['say', { type: 'new_message', room, id: `m${number}`, payload: payloadOf(number, nowUs) }])}`,
  },
};

function payloadOf(number, nowUs) {
  return { number: digits(number, NUMBER_DIGITS), at: digits(nowUs, TIME_DIGITS), text: TEXT };
}
