/** One connection to Hubbub: welcome, join or resume, send and ack. What arrives in its room goes to `onMessage`. */
import { clearTimeout, setTimeout } from 'k6/timers';
import { WebSocket } from 'k6/websockets';
import { decodeFrame, type Encoding, encodeFrame, type Frame, isRecord, SUBPROTOCOLS } from './codec.js';
import { crashed } from './crash.js';
import { connectionsCut, connectionsFailed, connectionsOpened, connectMs, errors, roomGaps } from './metrics.js';
import { jwtSecret } from './settings.js';
import { signToken } from './token.js';

const WELCOME_WITHIN_MS = 30_000;
const ANSWER_WITHIN_MS = 15_000;
const NORMAL = 1000;

export interface SessionOptions {
  /** `ws://host:port` of an edge. */
  readonly edgeUrl: string;
  readonly user: string;
  readonly encoding: Encoding;
  /** Enters this room with the handshake; else `ask` for it. */
  readonly room?: string;
  readonly onMessage: (frame: Frame) => void;
  /** Somebody else ended it after its welcome. */
  readonly onCut?: () => void;
}

type Answer = (frame: Frame | undefined) => void;

/** A session that is open, from its welcome until its end. */
export interface Session {
  readonly isOpen: boolean;
  /** Sends the frame and resolves with the `ack` or `error` that echoes its id; `undefined`: none came in time, or the end came first. */
  ask(frame: Frame & { readonly id: string }): Promise<Frame | undefined>;
  send(frame: Frame): void;
  /** Ends it in an orderly way; `onCut` is not called. */
  close(): void;
}

/** Resolves at the welcome; with `undefined` when there was none, which is counted as a failure. */
export function openSession(options: SessionOptions): Promise<Session | undefined> {
  return new Promise(resolve => connect(options, resolve));
}

function connect(options: SessionOptions, resolve: (session: Session | undefined) => void): void {
  const { edgeUrl, user, encoding, room, onMessage, onCut } = options;
  const startedAt = Date.now();
  const path = room === undefined ? '/ws' : `/rooms/${encodeURIComponent(room)}/ws`;
  // The token is in a header and not in the URL: k6 would make a tag of it.
  const headers = {
    Authorization: `Bearer ${signToken(jwtSecret, user)}`,
    'Sec-WebSocket-Protocol': SUBPROTOCOLS[encoding],
  };
  const socket = new WebSocket(`${edgeUrl}${path}`, null, { headers, tags: { encoding } });
  socket.binaryType = 'arraybuffer';
  const answers = new Map<string, Answer>();
  let state: 'opening' | 'open' | 'ended' = 'opening';

  const session: Session = {
    get isOpen() {
      return state === 'open';
    },
    ask(frame) {
      return new Promise(resolve => {
        if (state !== 'open') return resolve(undefined);
        // k6 waits for every timer before it ends a virtual user: none may be left behind.
        const timer = setTimeout(() => settle(frame.id, undefined), ANSWER_WITHIN_MS);
        answers.set(frame.id, answer => {
          clearTimeout(timer);
          resolve(answer);
        });
        session.send(frame);
      });
    },
    send(frame) {
      if (state === 'open') socket.send(encodeFrame(frame, encoding));
    },
    close() {
      if (state !== 'open') return;
      state = 'ended';
      socket.close(NORMAL);
      for (const id of [...answers.keys()]) settle(id, undefined);
    },
  };

  const settle = (id: string, answer: Frame | undefined): void => {
    const waiting = answers.get(id);
    if (waiting === undefined) return;
    answers.delete(id);
    waiting(answer);
  };
  const fail = (why: string): void => {
    if (state !== 'opening') return;
    console.error(`No session at ${edgeUrl}: ${why}`);
    state = 'ended';
    clearTimeout(welcomeTimer);
    connectionsFailed.add(1);
    resolve(undefined);
  };
  const read = (frame: Frame): void => {
    switch (frame.type) {
      case 'new_message':
        onMessage(frame);
        return;
      case 'welcome':
        if (state !== 'opening') return;
        state = 'open';
        clearTimeout(welcomeTimer);
        connectMs.add(Date.now() - startedAt);
        connectionsOpened.add(1);
        resolve(session);
        return;
      case 'error':
        errors.add(1, { code: String(frame.payload?.code) });
        break;
      case 'room_gap':
        roomGaps.add(1);
        break;
    }
    if (frame.id !== undefined && (frame.type === 'ack' || frame.type === 'error')) settle(frame.id, frame);
  };

  socket.addEventListener('message', event => crashed(() => read(decodeFrame('data' in event && event.data))));
  socket.addEventListener('close', event => {
    const wasOpen = state === 'open';
    fail('closed before the welcome');
    state = 'ended';
    for (const id of [...answers.keys()]) settle(id, undefined);
    if (!wasOpen) return;
    connectionsCut.add(1, { code: closeCode(event) });
    crashed(() => onCut?.());
  });
  socket.addEventListener('error', event => fail('error' in event ? event.error : 'no reason given'));
  const welcomeTimer = setTimeout(() => {
    fail('no welcome in time');
    socket.close();
  }, WELCOME_WITHIN_MS);
}

/** 1006 is never sent, only observed: k6 then gives no code. */
function closeCode(event: unknown): string {
  return isRecord(event) && typeof event.code === 'number' ? String(event.code) : '1006';
}
