/** Sends batches of bad frames over long sessions, each followed by a ping. The session must survive and answer correctly. */

import { encodeFrame, OPCODE } from '@hubbub/tools/kit';
import { Decoder, Encoder } from '@msgpack/msgpack';
import { Random } from '../random.mjs';
import { PUSHER_APP, PUSHER_CHANNELS, QUIET_ROOM, VICTIM_ROOMS } from '../target/target.mjs';
import { openSocket, sessionHeaders, sourceAddress } from '../wire/connections.mjs';
import { goodToken } from '../wire/tokens.mjs';

/** Below the limit of 64 frames that wait behind the current one. */
const BATCH = 40;
const BATCHES_PER_SESSION = 60;
const PATIENCE_MS = 15_000;
const encoder = new Encoder();
const decoder = new Decoder();

/**
 * The form of the frames of a lane.
 * @typedef {object} Dialect
 * @property {string} [path] @property {(token: string) => Record<string, string>} headers of the upgrade
 * @property {(bytes: Buffer, opcode: number) => any} decode
 * @property {readonly Buffer[]} joins
 * @property {(number: number) => Buffer} mark asks for an answer that no input gets
 * @property {(answer: any) => boolean} isWelcome @property {(answer: any, number: number) => boolean} isMark
 * @property {(answer: any) => { code: string, message?: string, counted: boolean } | undefined} refusal
 *   `counted`: the edge counts it under this code
 */

/** @type {Record<'json' | 'msgpack' | 'pusher', Dialect>} */
const DIALECTS = {
  json: hubbubDialect('json', {
    encode: value => encodeFrame(OPCODE.text, Buffer.from(JSON.stringify(value))),
    decode: (bytes, opcode) => (opcode === OPCODE.text ? JSON.parse(bytes.utf8Slice()) : undefined),
  }),
  msgpack: hubbubDialect('msgpack', {
    encode: value => encodeFrame(OPCODE.binary, Buffer.from(encoder.encode(value))),
    decode: (bytes, opcode) => (opcode === OPCODE.binary ? decoder.decode(bytes) : undefined),
  }),
  pusher: pusherDialect(),
};

/** @returns {Dialect} */
function hubbubDialect(encoding, { encode, decode }) {
  return {
    headers: token => sessionHeaders(token, encoding),
    decode,
    joins: [QUIET_ROOM, ...VICTIM_ROOMS].map(room => encode({ type: 'join_room', payload: { room_id: room } })),
    mark: number => encode({ type: 'ping', id: `mark-${number}` }),
    isWelcome: answer => answer?.type === 'welcome',
    isMark: (answer, number) => answer?.type === 'pong' && answer.id === `mark-${number}`,
    refusal(answer) {
      const { code, message } = (answer?.type === 'error' && answer.payload) || {};
      return typeof code === 'string' ? { code, message, counted: true } : undefined;
    },
  };
}

/** @returns {Dialect} */
function pusherDialect() {
  const subscribe = channel => {
    const text = JSON.stringify({ event: 'pusher:subscribe', data: { channel } });
    return encodeFrame(OPCODE.text, Buffer.from(text));
  };
  return {
    path: `/app/${PUSHER_APP.key}?protocol=7`,
    headers: () => ({}),
    decode: (bytes, opcode) => (opcode === OPCODE.text ? JSON.parse(bytes.utf8Slice()) : undefined),
    joins: PUSHER_CHANNELS.filter(name => !name.startsWith('pr')).map(subscribe),
    // No channel has such a name, and the answer repeats it.
    mark: number => subscribe(`mark/${number}`),
    isWelcome: answer => answer?.event === 'pusher:connection_established',
    isMark: (answer, number) => answer?.event === 'pusher:subscription_error' && answer.channel === `mark/${number}`,
    refusal(answer) {
      const { status, code, error, message } = answer?.data ?? {};
      if (answer?.event === 'pusher:error') return { code: String(code), message, counted: false };
      if (answer?.event !== 'pusher:subscription_error' || typeof status !== 'number') return undefined;
      return { code: status === 503 ? 'UNAVAILABLE' : String(status), message: error, counted: false };
    },
  };
}

/**
 * @param {import('./plan.mjs').Plan} plan
 * @param {{ lane: 'json' | 'msgpack' | 'pusher', port: number, width: number, seed: number, tally: import('../report/tally.mjs').Tally }} options
 */
export async function runSessionLane(plan, { lane, port, width, seed, tally }) {
  const worker = async number => {
    const random = new Random(seed ^ 0x1a9e, number);
    let batch = await nextBatch(plan, lane);
    for (let generation = 0; batch.length > 0; generation++) {
      const session = await openLaneSession({ lane, port, random, address: sourceAddress(number + generation), tally });
      for (let count = 0; count < BATCHES_PER_SESSION && batch.length > 0; count++) {
        const problem = await session.throwBatch(batch);
        if (problem !== undefined)
          tally.violation(batch[0], `${problem}; inputs of the batch: ${batch.map(({ number: at }) => at).join(' ')}`);
        for (const planned of batch) plan.finished(planned);
        batch = await nextBatch(plan, lane);
        if (problem !== undefined) break;
      }
      session.end();
    }
  };
  await Promise.all(Array.from({ length: width }, (_, number) => worker(number)));
}

async function nextBatch(plan, lane) {
  const batch = [];
  while (batch.length < BATCH) {
    const planned = await plan.next(lane);
    if (planned === undefined) break;
    batch.push(planned);
  }
  return batch;
}

async function openLaneSession({ lane, port, random, address, tally }) {
  const { path, headers, decode, joins, mark, isWelcome, isMark, refusal } = DIALECTS[lane];
  /** Counts of error codes since the last batch. */
  let codes = {};
  const failures = new Set();
  let waiting;
  let marks = 0;
  let welcome;
  const settle = problem => {
    waiting?.(problem);
    waiting = undefined;
  };
  const session = openSocket({
    port,
    path,
    headers: headers(goodToken(random)),
    localAddress: address,
    onEnd: why => settle(`the session ended: ${why}`),
    onFrame(bytes, opcode) {
      let answer;
      try {
        answer = decode(bytes, opcode);
      } catch {
        tally.garbage(); // The edge forwards bodies of envelopes without parsing, so garbage from Redis arrives here.
        return;
      }
      // Only the first one: garbage from Redis reaches these rooms, and may have the same type.
      if (welcome === undefined && isWelcome(answer)) {
        welcome = answer;
        settle();
      }
      if (isMark(answer, marks)) return settle();
      const refused = refusal(answer);
      if (refused === undefined) return;
      const { code, message, counted } = refused;
      codes[code] = (codes[code] ?? 0) + 1;
      if (code === 'UNAVAILABLE') failures.add(message);
      if (counted) tally.refusedFrame(code);
    },
  });
  const answered = write =>
    new Promise(resolve => {
      const patience = setTimeout(() => settle(`no answer within ${PATIENCE_MS} ms`), PATIENCE_MS);
      waiting = problem => {
        clearTimeout(patience);
        resolve(problem);
      };
      write();
    });
  const writeMarked = frames => {
    marks++;
    session.write(Buffer.concat([...frames, mark(marks)]));
  };

  await answered(() => {});
  await answered(() => writeMarked(joins));
  const socketId = lane === 'pusher' && welcome !== undefined ? JSON.parse(welcome.data).socket_id : undefined;

  return {
    end: () => (random.chance() ? session.close() : session.reset()),
    async throwBatch(batch) {
      if (session.ended !== undefined) return `the session ended: ${session.ended}`;
      codes = {};
      const frames = batch.map(({ input }) => input.bytes ?? input.bytesFor(socketId));
      const problem = await answered(() => writeMarked(frames));
      return problem ?? judge(batch, codes, failures);
    },
  };
}

/** Describes missing answers to frames with a known code, and answers that report a failure; `undefined` if all are right. */
function judge(batch, codes, failures) {
  const expected = {};
  for (const { input } of batch) if (input.code !== undefined) expected[input.code] = (expected[input.code] ?? 0) + 1;
  for (const [code, count] of Object.entries(expected)) {
    if ((codes[code] ?? 0) < count)
      return `${codes[code] ?? 0} answers ${code} to ${count} frames that get it; answers: ${JSON.stringify(codes)}`;
  }
  if (codes.UNAVAILABLE !== undefined) return `${codes.UNAVAILABLE} answers UNAVAILABLE (${[...failures].join('; ')})`;
  return undefined;
}
