/** A cheap client of server-sent events over a raw socket: reads events in place. */
import { connect } from 'node:net';
import { requestBytes } from '@hubbub/tools/kit';

const HEAD_END = '\r\n\r\n';
const EVENT_END = '\n\n';
const [CARRIAGE_RETURN, LINE_FEED] = [0x0d, 0x0a];
const NOTHING = Buffer.alloc(0);
/** All streams of the process read into the same bytes: each read is processed before the next one. */
const RECEIVED = Buffer.allocUnsafeSlow(256 * 1024);

export class RawEventStream {
  /** Why it ended; undefined while it is open. */
  ended;
  #options;
  #socket;
  #isOpen = false;
  /** The beginning of an incomplete event. */
  #held = NOTHING;

  /**
   * @param {Pick<import('@hubbub/tools/kit').RawSocketOptions, 'port' | 'path' | 'headers' | 'onOpen' | 'onChunk' | 'onData' | 'onEnd'>} options
   *   `onData` gets an event with the head of its chunk before it, which has the same length in events of the same length
   */
  constructor(options) {
    this.#options = options;
    const { port, path, headers } = options;
    this.#socket = connect({
      host: '127.0.0.1',
      port,
      onread: { buffer: RECEIVED, callback: (length, bytes) => this.#read(bytes.subarray(0, length)) },
    });
    const lines = [`GET ${path} HTTP/1.1`, 'Host: 127.0.0.1'];
    for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
    this.#socket.on('connect', () => this.#socket.write(requestBytes(lines)));
    this.#socket.on('error', error => this.#end(error.message));
    this.#socket.on('close', () => this.#end('the server closed the connection'));
  }

  destroy() {
    this.ended ??= 'closed by this client';
    this.#socket.destroy();
  }

  /** @param {Buffer} received */
  #read(received) {
    if (this.ended !== undefined) return true;
    const bytes = this.#held.length === 0 ? received : Buffer.concat([this.#held, received]);
    let at = this.#isOpen ? 0 : this.#readHead(bytes);
    this.#options.onChunk?.();
    let end = bytes.indexOf(EVENT_END, at);
    while (end >= 0 && this.ended === undefined) {
      this.#options.onData(bytes, at, end - at);
      at = end + EVENT_END.length;
      if (bytes[at] === CARRIAGE_RETURN && bytes[at + 1] === LINE_FEED) at += 2; // The end of its chunk.
      end = bytes.indexOf(EVENT_END, at);
    }
    this.#held = at === bytes.length ? NOTHING : Buffer.from(bytes.subarray(at));
    return true; // Continue reading.
  }

  /** Returns where the first chunk begins. */
  #readHead(bytes) {
    const end = bytes.indexOf(HEAD_END);
    if (end < 0) return 0; // Held with the rest: no event ends in it.
    this.#isOpen = true;
    const lines = bytes.toString('latin1').split('\r\n');
    if (lines[0] === 'HTTP/1.1 200 OK') this.#options.onOpen?.();
    else this.#end(`refused: ${lines[0]}, ${lines.at(-1)}`);
    return end + HEAD_END.length;
  }

  #end(why) {
    if (this.ended !== undefined) return;
    this.ended = why;
    this.#socket.destroy();
    this.#options.onEnd(why);
  }
}
