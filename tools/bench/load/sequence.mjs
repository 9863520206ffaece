/** Checks that the messages of a room reach one member in order, each once. */
export class Sequence {
  /** Number of the next message, when none is lost. */
  expected = 0;
  missed = 0;
  /** Arrived again, or out of order. */
  repeated = 0;

  /** @param {number} number */
  take(number) {
    if (number === this.expected) this.expected++;
    else if (number > this.expected) {
      this.missed += number - this.expected;
      this.expected = number + 1;
    } else this.repeated++;
  }
}
