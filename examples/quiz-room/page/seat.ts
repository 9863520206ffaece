/** A seat in a room: taken over HTTP, and remembered by the tab (for reloads) and by the browser (for a return). */

export interface Seat {
  readonly code: string;
  readonly name: string;
  /** The proof that the seat is ours: made here, so that a repeated request takes no second one. */
  readonly pass: string;
}

/** The service's answer to who has a seat. */
export interface Admission {
  readonly code: string;
  readonly room: string;
  readonly user: { readonly id: string; readonly name: string; readonly role: 'host' | 'player' };
  readonly token: string;
  readonly now_ms: number;
}

/** A refusal of the service, in words for people. */
export class SeatRefusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const KEY = 'hubbub-quiz-seat';

export function newPass(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), byte => byte.toString(16).padStart(2, '0')).join('');
}

/** @throws {SeatRefusal} with the problem; another error when the service does not answer */
export async function post<Answer>(path: string, body: object): Promise<Answer> {
  const headers = { 'content-type': 'application/json' };
  let response: Response;
  try {
    response = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body) });
  } catch {
    throw new Error('The service does not answer. It may be restarting: try again in a moment.');
  }
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  throw new SeatRefusal(response.status, answer.error ?? `The service answers ${response.status}.`);
}

/** The seat of this tab. */
export function tabSeat(): Seat | undefined {
  return read(() => sessionStorage.getItem(KEY));
}

/** The seat that was last taken in this browser. */
export function lastSeat(): Seat | undefined {
  return read(() => localStorage.getItem(KEY));
}

export function remember(seat: Seat): void {
  keep(() => sessionStorage.setItem(KEY, JSON.stringify(seat)));
  keep(() => localStorage.setItem(KEY, JSON.stringify(seat)));
}

export function forget(seat: Seat): void {
  keep(() => sessionStorage.removeItem(KEY));
  if (lastSeat()?.pass === seat.pass) keep(() => localStorage.removeItem(KEY));
}

function read(get: () => string | null): Seat | undefined {
  try {
    return JSON.parse(get() ?? 'null') ?? undefined;
  } catch {
    return undefined; // A browser that keeps nothing.
  }
}

function keep(set: () => void): void {
  try {
    set();
  } catch {
    // As above: the seat lasts as long as the page.
  }
}
