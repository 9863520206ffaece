/** The transport of a session that sends one frame over plain HTTP: its answer is the body of the response. */
import type { Frame } from '@hubbub/protocol';
import type { Socket } from '../sessions/session.js';

export class AnswerSocket implements Socket {
  #answer: ((frame: Frame) => void) | undefined;

  /** @param answer called once, with the `ack` or the `error` of the frame */
  constructor(answer: (frame: Frame) => void) {
    this.#answer = answer;
  }

  send(text: string | Uint8Array): number {
    const answer = this.#answer;
    this.#answer = undefined;
    answer?.(JSON.parse(String(text)) as Frame);
    return 1;
  }

  /** Of a session in no audience: nothing is published to it. */
  subscribe(): boolean {
    return false;
  }

  unsubscribe(): boolean {
    return false;
  }

  publish(): boolean {
    return false;
  }

  /** After its one frame was refused, it has its answer already. */
  end(): void {}

  close(): void {}

  cork(send: () => void): void {
    send();
  }

  getBufferedAmount(): number {
    return 0;
  }
}
