/** Sends each input over its own connection, and checks the edge's response. */
import { connect } from 'node:net';
import { requestBytes, upgradeLines } from '@hubbub/tools/kit';
import { Random } from '../random.mjs';
import { ACCEPT, sourceAddress } from '../wire/connections.mjs';
import { goodToken } from '../wire/tokens.mjs';

/** Limit for the response of the edge, on a busy machine. */
const PATIENCE_MS = 15_000;
/** The edge limits a handshake to 10 s; the engine checks the limit in steps. */
const HANDSHAKE_SECONDS_MIN = 8;
const PONG = '"still-here"';
const ANSWER_MAX = 16_384;

/**
 * @param {import('./plan.mjs').Plan} plan
 * @param {{ lane: 'connection' | 'slow' | 'api', port: number, width: number, seed: number, tally: import('../report/tally.mjs').Tally }} options
 */
export async function runConnectionLane(plan, { lane, port, width, seed, tally }) {
  const worker = async () => {
    for (let planned = await plan.next(lane); planned !== undefined; planned = await plan.next(lane)) {
      const opener = new Random(seed ^ 0x5eed, planned.number);
      const outcome = await throwAt(port, planned, opener);
      const problem = judge(planned.input, outcome);
      if (problem !== undefined)
        tally.violation(planned, `${problem}; answer: ${JSON.stringify(outcome.answer.slice(0, 120))}`);
      tally.connection(outcome, planned.input);
      plan.finished(planned);
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
}

/**
 * @typedef {object} Outcome
 * @property {string} answer beginning of the edge's bytes, as latin1 @property {number | undefined} status of its first response
 * @property {boolean} cut whether the edge closed the connection @property {boolean} late whether the required response was late
 * @property {string | undefined} error @property {number} seconds from connecting to the end
 */

/** @returns {Promise<Outcome>} */
function throwAt(port, { number, input }, opener) {
  return new Promise(resolve => {
    const { parts, opens = false, eager = false, ending = 'reset', lingerMs = 0, expect } = input;
    const localAddress = sourceAddress(number);
    const socket = connect({ host: '127.0.0.1', port, noDelay: true, ...(localAddress && { localAddress }) });
    const outcome = { answer: '', status: undefined, cut: false, late: false, error: undefined, seconds: 0 };
    const waitsForEdge = ['cut', 'refused', 'status', 'answer', 'pong'].includes(expect);
    const beganAtMs = performance.now();
    let thrown = false;
    let over = false;
    const patience = setTimeout(() => {
      outcome.late = waitsForEdge;
      finish();
    }, PATIENCE_MS);

    const finish = () => {
      if (over) return;
      over = true;
      outcome.seconds = (performance.now() - beganAtMs) / 1000;
      clearTimeout(patience);
      if (ending === 'reset' || outcome.late) socket.resetAndDestroy();
      else socket.end(() => socket.destroy());
      resolve(outcome);
    };
    const throwParts = async () => {
      for (const { bytes, afterMs } of parts) {
        if (afterMs !== undefined) await new Promise(go => setTimeout(go, afterMs));
        if (over || socket.destroyed) return;
        socket.write(bytes);
      }
      thrown = true;
      look();
      if (!waitsForEdge) setTimeout(finish, lingerMs);
    };
    const look = () => {
      if (outcome.status === undefined) outcome.status = statusOf(outcome.answer);
      if ((expect === 'status' || expect === 'answer') && wholeHead(outcome.answer)) finish();
      if (expect === 'refused' && outcome.status !== undefined) finish();
      if (expect === 'pong' && outcome.answer.includes(PONG)) finish();
    };

    socket.on('connect', () => {
      if (!opens) return throwParts();
      const upgrade = requestBytes(upgradeLines({ headers: [`Authorization: Bearer ${goodToken(opener)}`] }));
      if (eager && parts.length > 0) parts[0] = { ...parts[0], bytes: Buffer.concat([upgrade, parts[0].bytes]) };
      else socket.write(upgrade);
      if (eager) throwParts();
    });
    socket.on('data', bytes => {
      const isFirst = outcome.answer === '';
      if (outcome.answer.length < ANSWER_MAX) outcome.answer += bytes.latin1Slice();
      look();
      if (isFirst && opens && !eager) throwParts();
    });
    socket.on('error', error => {
      outcome.error = error.code;
    });
    socket.on('close', () => {
      if (!over) outcome.cut = true;
      // Bytes after the edge's close are allowed; only the close is checked.
      if (outcome.status === undefined) outcome.status = statusOf(outcome.answer);
      if (!over && !thrown && outcome.error === undefined && !opens)
        outcome.error = 'ended before everything was written';
      finish();
    });
  });
}

function statusOf(answer) {
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(answer)?.[1];
  return status === undefined ? undefined : Number(status);
}

/** Returns whether the head and a body of `Content-Length` bytes have arrived. */
function wholeHead(answer) {
  const end = answer.indexOf('\r\n\r\n');
  if (end < 0) return false;
  const length = Number(/content-length: (\d+)/i.exec(answer.slice(0, end))?.[1] ?? 0);
  return answer.length >= end + 4 + length;
}

/** Describes the error in the edge's response; `undefined` if it is right. */
function judge({ expect, statuses, opens }, { answer, status, cut, late, error, seconds }) {
  if (error === 'ECONNREFUSED') return 'the edge does not listen';
  if (status >= 500 && status !== 505) return `answered ${status}`;
  if (opens && status !== undefined && status !== 101) return `a good upgrade was answered ${status}`;
  if (opens && status === 101 && !answer.includes(ACCEPT)) return 'the upgrade was accepted with a wrong key';
  if (late) return `not ${expect} within ${PATIENCE_MS} ms`;
  if (expect === 'no-101' && status === 101) return 'became a WebSocket';
  if (expect === 'refused' && !(cut || status >= 400)) return `answered ${status}`;
  // On a very busy machine a valid handshake may exceed its time limit.
  if (expect === 'status' && status === undefined && cut && seconds > HANDSHAKE_SECONDS_MIN) return undefined;
  if (statuses !== undefined && !statuses.includes(status))
    return `answered ${status ?? error ?? 'nothing'} instead of ${statuses}`;
  if (expect === 'cut' && !cut) return 'not cut off';
  if (expect === 'pong' && !answer.includes(PONG)) return `cut off (${error ?? 'no error'})`;
  return undefined;
}
