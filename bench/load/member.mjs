/** One member of a room: a raw socket that shakes hands, checks every message's number, and hands its time on. */
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { readDigits } from './digits.mjs';
import { FrameReader, OPCODE } from './frame-reader.mjs';
import { NUMBER_DIGITS, TIME_DIGITS } from './message.mjs';

const HEAD_MAX_BYTES = 8192;
/** All sockets of the process read into the same bytes: what is read is dealt with before the next read. */
const RECEIVED = Buffer.allocUnsafeSlow(256 * 1024);

export class Member {
  /** Messages that were passed over, and messages that came again or too late. */
  missed = 0;
  repeated = 0;
  /** Frames that are none of the publisher's: presence and the like. */
  others = 0;
  /** The second of them (the first is the welcome), to show what was not recognized. */
  otherFrame = '';
  /** Number of the next message, when none is lost. */
  expected = 0;
  /** Why the connection ended; undefined while it stands. */
  ended;
  #socket;
  #head = '';
  #open = false;
  #options;
  #reader = new FrameReader((bytes, opcode, start, length) => this.#frame(bytes, opcode, start, length));

  /**
   * @param {object} options
   * @param {number} options.port @param {string} options.path @param {Record<string, string>} options.headers
   * @param {boolean} options.awaitsWelcome whether the relay says by a first frame that the room was joined
   * @param {{ frameBytes: number, numberAt: number, timeAt: number }} options.layout
   * @param {import('./tally.mjs').Tally} options.tally
   * @param {() => void} options.onReady @param {(why: string) => void} options.onEnd
   */
  constructor(options) {
    this.#options = options;
    this.#socket = connect({
      host: '127.0.0.1',
      port: options.port,
      noDelay: true,
      onread: { buffer: RECEIVED, callback: (length, bytes) => this.#read(bytes, length) },
    });
    this.#socket.on('connect', () => this.#askForUpgrade());
    this.#socket.on('error', error => this.#end(error.message));
    this.#socket.on('close', () => this.#end('the server closed the connection'));
  }

  close() {
    this.ended ??= 'closed by us';
    this.#socket.destroy();
  }

  #askForUpgrade() {
    const { path, headers } = this.#options;
    const lines = [
      `GET ${path} HTTP/1.1`,
      'Host: 127.0.0.1',
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ];
    this.#socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  }

  #read(bytes, length) {
    if (this.ended !== undefined) return true;
    const start = this.#open ? 0 : this.#readHead(bytes, length);
    if (start < length) {
      this.#options.tally.chunk();
      this.#reader.read(bytes, start, length);
    }
    return true; // Go on reading.
  }

  /** Returns where the first frame begins. */
  #readHead(bytes, length) {
    const before = this.#head.length;
    this.#head += bytes.latin1Slice(0, length);
    const end = this.#head.indexOf('\r\n\r\n');
    if (end < 0) {
      if (this.#head.length > HEAD_MAX_BYTES) this.#end('the answer to the upgrade does not end');
      return length;
    }
    if (!this.#head.startsWith('HTTP/1.1 101')) {
      this.#end(`refused: ${this.#head.slice(0, this.#head.indexOf('\r\n'))}`);
      return length;
    }
    this.#open = true;
    this.#head = '';
    if (!this.#options.awaitsWelcome) this.#options.onReady();
    return end + 4 - before;
  }

  #frame(bytes, opcode, start, length) {
    const { layout, tally } = this.#options;
    // The quote before the digits: a frame of another kind with the same length is told apart.
    if (opcode === OPCODE.text && length === layout.frameBytes && bytes[start + layout.numberAt - 1] === 0x22) {
      this.#check(readDigits(bytes, start + layout.numberAt, NUMBER_DIGITS));
      tally.message(readDigits(bytes, start + layout.timeAt, TIME_DIGITS));
    } else if (opcode === OPCODE.ping) this.#pong();
    else if (opcode === OPCODE.close)
      this.#end(`close code ${length >= 2 ? (bytes[start] << 8) + bytes[start + 1] : 1005}`);
    else this.#other(bytes, start, length);
  }

  #other(bytes, start, length) {
    this.others++;
    if (this.others === 1 && this.#options.awaitsWelcome) this.#options.onReady();
    if (this.others === 2) this.otherFrame = Buffer.from(bytes.subarray(start, start + length)).toString();
  }

  #check(number) {
    if (number === this.expected) this.expected++;
    else if (number > this.expected) {
      this.missed += number - this.expected;
      this.expected = number + 1;
    } else this.repeated++;
  }

  /** Empty, and masked with zeros as a client has to mask. */
  #pong() {
    this.#socket.write(Buffer.from([0x80 | OPCODE.pong, 0x80, 0, 0, 0, 0]));
  }

  #end(why) {
    if (this.ended !== undefined) return;
    this.ended = why;
    this.#socket.destroy();
    this.#options.onEnd(why);
  }
}
