/**
 * Finds the number and the time of a message in a frame, in JSON and MessagePack.
 * Both are digits of fixed width behind fixed names. Their offsets are searched once per frame length, then only checked.
 */
import { readDigits } from './digits.mjs';
import { NUMBER_DIGITS, TIME_DIGITS } from './message.mjs';

const NUMBER = Buffer.from('number');
const TIME = Buffer.from('at');
const [FIRST_LETTER, LAST_LETTER] = [NUMBER[0], NUMBER.at(-1)];
const QUOTE = 0x22;
/** A MessagePack string of 8 bytes, and one of 10. */
const [FIXSTR_8, FIXSTR_10] = [0xa0 | NUMBER_DIGITS, 0xa0 | TIME_DIGITS];

export class MessagePlaces {
  /** Offsets from the beginning of the payload, by its length. @type {Map<number, { label: number, number: number, time: number, mark: number }>} */
  #byLength = new Map();
  /** Of the last message that `find` read. */
  number = 0;
  timeUs = 0;

  /** Reads number and time of a frame that is a message. @returns {boolean} whether it is one */
  find(bytes, start, length) {
    let place = this.#byLength.get(length);
    if (place === undefined || !matches(bytes, start, place)) {
      place = search(bytes.subarray(start, start + length));
      if (place === undefined) return false;
      this.#byLength.set(length, place);
    }
    this.number = readDigits(bytes, start + place.number, NUMBER_DIGITS);
    this.timeUs = readDigits(bytes, start + place.time, TIME_DIGITS);
    return true;
  }
}

/** Checks the name of the number and the mark before its digits: other frames can have the same length. */
function matches(bytes, start, { label, number, mark }) {
  return (
    bytes[start + label] === FIRST_LETTER &&
    bytes[start + label + NUMBER.length - 1] === LAST_LETTER &&
    bytes[start + number - 1] === mark
  );
}

function search(frame) {
  const label = frame.indexOf(NUMBER);
  if (label < 0) return undefined;
  const behind = label + NUMBER.length;
  if (frame[behind] === FIXSTR_8) {
    const number = behind + 1;
    const time = frame.indexOf(TIME, number + NUMBER_DIGITS) + TIME.length;
    return frame[time] === FIXSTR_10 ? { label, number, time: time + 1, mark: FIXSTR_8 } : undefined;
  }
  const number = behind + 3; // ":"
  const time = frame.indexOf('"at":"', number) + '"at":"'.length;
  return frame[number - 1] === QUOTE ? { label, number, time, mark: QUOTE } : undefined;
}
