/** The transport of Node: the `ws` package, which also shows why an edge refused. */
import type { IncomingMessage } from 'node:http';
import type { Refusal } from '@hubbub/protocol';
import { type ClientOptions, WebSocket } from 'ws';
import { ABNORMAL, type Closing, refusalOf } from './errors.js';
import type { OpenTransport } from './transport.js';

/** Milliseconds to wait for the peer's half of the close handshake; a process that is done should not hang on a dead peer. */
const CLOSE_TIMEOUT_MS = 2_000;
/** Refusals of an edge are far smaller; what a proxy answers is not read further. */
const REFUSAL_MAX_CHARS = 4_096;

/** Statuses that stay the same at the next attempt, where the body is not an edge's JSON: that of the engine's 431 is HTML. */
const FINAL_STATUS: Readonly<Record<number, Refusal>> = {
  414: { code: 'TOO_LARGE', message: 'The URL is too long for the edge or a proxy (HTTP 414).' },
  431: { code: 'TOO_LARGE', message: 'The headers, with the token, are too large for the edge or a proxy (HTTP 431).' },
};

export const openTransport: OpenTransport = ({ url, protocols }, listener) => {
  // @types/ws does not know closeTimeout yet.
  const options: ClientOptions & { closeTimeout: number } = { closeTimeout: CLOSE_TIMEOUT_MS };
  const socket = new WebSocket(url, [...protocols], options);
  let ended = false;
  const end = (closing: Closing): void => {
    if (ended) return;
    ended = true;
    listener.closed(closing);
  };
  let problem = '';

  socket.on('open', () => listener.opened());
  socket.on('message', (data, isBinary) => {
    const bytes = data as Buffer; // binaryType is `nodebuffer`.
    listener.received(isBinary ? bytes : bytes.toString('utf8'));
  });
  socket.on('unexpected-response', (request, response) => {
    const final = FINAL_STATUS[response.statusCode ?? 0];
    readRefusal(response).then((refusal = final) => {
      end({
        code: ABNORMAL,
        reason: `refused with HTTP ${response.statusCode}`,
        ...(refusal !== undefined && { refusal }),
      });
      request.destroy();
    });
  });
  // `close` follows and carries the message on.
  socket.on('error', error => {
    problem = error.message;
  });
  socket.on('close', (code, reason) => end({ code, reason: reason.toString('utf8') || problem }));

  return {
    send: data => socket.send(data, ignoreSendError),
    close: (code, reason) => socket.close(code, reason),
  };
};

/** A send that fails is followed by `close`; without a callback ws would throw. */
function ignoreSendError(): void {}

/** The JSON body of an edge's refusal; `undefined` where something else answered, for example a proxy. */
async function readRefusal(response: IncomingMessage): Promise<Refusal | undefined> {
  let text = '';
  try {
    response.setEncoding('utf8');
    for await (const chunk of response) {
      text += chunk;
      if (text.length > REFUSAL_MAX_CHARS) return undefined;
    }
    return refusalOf(JSON.parse(text), response.headers['retry-after']);
  } catch {
    return undefined; // Cut off or not JSON: not an edge's refusal, so the client reconnects.
  }
}
