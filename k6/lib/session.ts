/** One connection to Hubbub: welcome, join or resume, send and ack. What arrives in its room goes to `onMessage`. */
import { clearInterval, clearTimeout, setInterval, setTimeout } from 'k6/timers';
import { WebSocket } from 'k6/websockets';
import { decodeFrame, type Encoding, encodeFrame, type Frame, isRecord, SUBPROTOCOLS } from './codec.js';
import { crashed } from './crash.js';
import {
  connectionsCut,
  connectionsFailed,
  connectionsOpened,
  connectMs,
  errors,
  roomGaps,
  welcomesUnseen,
} from './metrics.js';
import { jwtSecret } from './settings.js';
import { signToken } from './token.js';

const WELCOME_WITHIN_MS = 60_000;
const ASK_FOR_LIFE_MS = 5000;
const OPEN = 1;
const ANSWER_WITHIN_MS = 15_000;
const NORMAL = 1000;
const HEARTBEAT_MS = 4000;
/** Asked for life after each beat without a word; dead after so many. Beats are counted and not time: a frozen process has slept through it. */
const SILENT_BEATS = 3;

export interface SessionOptions {
  /** `ws://host:port` of an edge. */
  readonly edgeUrl: string;
  readonly user: string;
  readonly encoding: Encoding;
  /** Enters this room with the handshake; else `ask` for it. */
  readonly room?: string;
  readonly onMessage: (frame: Frame) => void;
  /** Somebody else ended it after its welcome, or it fell silent. Whoever wants to know gets a heartbeat. */
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
  let silentBeats = 0;
  let heartbeat: ReturnType<typeof setInterval> | undefined;

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
      if (heartbeat !== undefined) clearInterval(heartbeat);
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
  const open = (): void => {
    if (state !== 'opening') return;
    state = 'open';
    clearTimeout(welcomeTimer);
    connectionsOpened.add(1);
    // An edge that cuts off somebody who does not read cannot tell: what it sent last stands before the end, and the end may never come.
    if (onCut !== undefined) heartbeat = setInterval(beat, HEARTBEAT_MS);
    resolve(session);
  };
  const beat = (): void => {
    if (++silentBeats <= 1) return;
    if (silentBeats <= SILENT_BEATS) {
      session.send({ type: 'ping' });
      return;
    }
    end('silent');
    socket.close();
  };
  const end = (code: string): void => {
    if (heartbeat !== undefined) clearInterval(heartbeat);
    const wasOpen = state === 'open';
    state = 'ended';
    for (const id of [...answers.keys()]) settle(id, undefined);
    if (!wasOpen) return;
    connectionsCut.add(1, { code });
    crashed(() => onCut?.());
  };
  const read = (frame: Frame): void => {
    silentBeats = 0;
    if (state === 'ended') return;
    switch (frame.type) {
      case 'new_message':
        onMessage(frame);
        return;
      case 'welcome':
        if (state === 'opening') connectMs.add(Date.now() - startedAt);
        open();
        return;
      case 'pong':
        if (state === 'opening') welcomesUnseen.add(1);
        open();
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
    fail('closed before the welcome');
    end(closeCode(event));
  });
  socket.addEventListener('error', event => fail('error' in event ? event.error : 'no reason given'));
  // Of ten thousand sessions one to four never show their welcome to the script, and answer a ping all the same. By its source k6 2.2 drops
  // what it reads before it has told the script that the socket is open; that it is this, and not the edge, has not been shown.
  let asked = 0;
  const askForLife = (): void => {
    if (++asked * ASK_FOR_LIFE_MS >= WELCOME_WITHIN_MS) {
      fail('no welcome in time');
      socket.close();
      return;
    }
    if (socket.readyState === OPEN) socket.send(encodeFrame({ type: 'ping' }, encoding));
    welcomeTimer = setTimeout(askForLife, ASK_FOR_LIFE_MS);
  };
  let welcomeTimer = setTimeout(askForLife, ASK_FOR_LIFE_MS);
}

/** 1006 is never sent, only observed: k6 then gives no code. */
function closeCode(event: unknown): string {
  return isRecord(event) && typeof event.code === 'number' ? String(event.code) : '1006';
}
