/** What clients say to each other in these scenarios: the number and the time of a message stand in its payload as digits. */
import { readDigits } from '../load/digits.mjs';
import { NUMBER_DIGITS, TIME_DIGITS } from '../load/message.mjs';

const NUMBER = Buffer.from('"number":"');
const TIME = Buffer.from('"at":"');
/** Frames of about 250 bytes, with sender and timestamp. */
const TEXT = 'x'.repeat(40);

/**
 * With an id of its own, as the client SDK sends it: it is the idempotency key where the room has a history.
 * @param {string} room @param {number} number of the message in its room, from 0 @param {number} nowUs
 */
export function say(room, number, nowUs) {
  const payload = { number: digits(number, NUMBER_DIGITS), at: digits(nowUs, TIME_DIGITS), text: TEXT };
  return { type: 'send_message', room, id: `m${number}`, payload };
}

/** @param {Buffer} frame @returns {number} where the payload's number begins; -1 when the frame is no message */
export function placeOfNumber(frame) {
  const at = frame.indexOf(NUMBER);
  return at < 0 ? -1 : at + NUMBER.length;
}

export function numberAt(frame, place) {
  return readDigits(frame, place, NUMBER_DIGITS);
}

/** When it was said. */
export function timeAfter(frame, place) {
  return readDigits(frame, frame.indexOf(TIME, place) + TIME.length, TIME_DIGITS);
}

/** Checks that the messages of a room come in order, each once. */
export class Sequence {
  expected = 0;
  missed = 0;
  repeated = 0;

  take(number) {
    if (number === this.expected) this.expected++;
    else if (number > this.expected) {
      this.missed += number - this.expected;
      this.expected = number + 1;
    } else this.repeated++;
  }
}

function digits(value, width) {
  return String(value).padStart(width, '0');
}
