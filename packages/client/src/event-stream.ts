/** Reads one response of server-sent events, as edges write them (PROTOCOL.md section 10.2). */
import { closeAdvice } from '@hubbub/protocol';
import { ABNORMAL, type Closing, refusalOf } from './errors.js';

/** The fields of one event. Without `data` it is a heartbeat, or names only the delay `retry`. */
export interface StreamEvent {
  readonly id?: string;
  readonly event?: string;
  readonly data?: string;
  readonly retry?: string;
}

export interface StreamRequest {
  readonly url: string;
  readonly headers: Record<string, string>;
  take(event: StreamEvent): void;
  /** Called once, and last: a request that was refused has the refusal. */
  ended(closing: Closing): void;
}

/** Returns what closes the stream; then neither `take` nor `ended` is called. */
export function openEventStream(request: StreamRequest): () => void {
  const controller = new AbortController();
  const { signal } = controller;
  readStream(request, signal)
    .catch(({ message, cause = message }): Closing => ({ code: ABNORMAL, reason: `fetch: ${cause}` }))
    .then(closing => signal.aborted || request.ended(closing));
  return () => controller.abort();
}

async function readStream({ url, headers, take }: StreamRequest, signal: AbortSignal): Promise<Closing> {
  const response = await fetch(url, { headers, signal });
  if (!response.body || !response.headers.get('content-type')?.startsWith('text/event-stream')) {
    return readRefusal(response);
  }
  const reader = response.body.getReader();
  let closing: Closing | undefined;
  const feed = createEventReader(event => {
    if (signal.aborted || closing) return;
    if (event.event === 'close') closing = closingOf(event);
    else take(event);
  });
  const decoder = new TextDecoder();
  while (!closing) {
    const { value, done } = await reader.read();
    if (done) return { code: ABNORMAL, reason: 'the event stream ended' };
    feed(decoder.decode(value, { stream: true }));
  }
  return closing;
}

/** Takes the text in pieces. The edge ends lines with LF, and writes each field of an event on one line. */
export function createEventReader(take: (event: StreamEvent) => void): (text: string) => void {
  let rest = '';
  return text => {
    const events = (rest + text).split('\n\n');
    rest = events.pop() ?? '';
    for (const event of events) {
      take(Object.fromEntries(event.split('\n').map(line => line.split(/: ?(.*)/s, 2) as [string, string])));
    }
  };
}

async function readRefusal(response: Response): Promise<Closing> {
  const reason = `refused with HTTP ${response.status}`;
  // The answer of a proxy is not JSON, or has no code of ours.
  const refusal = refusalOf(await response.json().catch(() => {}), response.headers.get('retry-after'));
  return { code: ABNORMAL, reason, ...(refusal && { refusal }) };
}

function closingOf({ data = '', retry }: StreamEvent): Closing {
  const { code, reason } = JSON.parse(data);
  if (closeAdvice(code) !== 'reconnect') return { code, reason };
  const message = `The edge closed with ${code}: ${reason}`;
  return { code, reason, refusal: { code: 'UNAVAILABLE', message, retryAfterMs: Number(retry) } };
}
