/** Sends batches of bad frames over long sessions, each followed by a ping. The session must survive and answer correctly. */

import { encodeFrame, OPCODE } from '@hubbub/tools/kit';
import { Decoder, Encoder } from '@msgpack/msgpack';
import { Random } from '../random.mjs';
import { QUIET_ROOM, VICTIM_ROOMS } from '../target/target.mjs';
import { openSession, sourceAddress } from '../wire/connections.mjs';
import { goodToken } from '../wire/tokens.mjs';

/** Below the limit of 64 frames that wait behind the current one. */
const BATCH = 40;
const BATCHES_PER_SESSION = 60;
const PATIENCE_MS = 15_000;
const encoder = new Encoder();
const decoder = new Decoder();

const CODEC = {
  json: {
    encode: value => encodeFrame(OPCODE.text, Buffer.from(JSON.stringify(value))),
    decode: (bytes, opcode) => (opcode === OPCODE.text ? JSON.parse(bytes.utf8Slice()) : undefined),
  },
  msgpack: {
    encode: value => encodeFrame(OPCODE.binary, Buffer.from(encoder.encode(value))),
    decode: (bytes, opcode) => (opcode === OPCODE.binary ? decoder.decode(bytes) : undefined),
  },
};

/**
 * @param {import('./plan.mjs').Plan} plan
 * @param {{ lane: 'json' | 'msgpack', port: number, width: number, seed: number, tally: import('../report/tally.mjs').Tally }} options
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
  const { encode, decode } = CODEC[lane];
  /** Counts of error codes since the last batch. */
  let codes = {};
  const failures = new Set();
  let waiting;
  let marks = 0;
  let welcomed = false;
  const settle = problem => {
    waiting?.(problem);
    waiting = undefined;
  };
  const session = openSession({
    port,
    token: goodToken(random),
    encoding: lane,
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
      if (answer?.type === 'welcome' && !welcomed) {
        welcomed = true;
        settle();
      }
      if (answer?.type === 'pong' && answer.id === `mark-${marks}`) settle();
      if (answer?.type === 'error' && typeof answer.payload?.code === 'string') {
        codes[answer.payload.code] = (codes[answer.payload.code] ?? 0) + 1;
        if (answer.payload.code === 'UNAVAILABLE') failures.add(answer.payload.message);
        tally.refusedFrame(answer.payload.code);
      }
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
  const mark = () => {
    marks++;
    return encode({ type: 'ping', id: `mark-${marks}` });
  };

  await answered(() => {});
  const joins = [QUIET_ROOM, ...VICTIM_ROOMS].map(room => encode({ type: 'join_room', payload: { room_id: room } }));
  await answered(() => session.write(Buffer.concat([...joins, mark()])));

  return {
    end: () => (random.chance() ? session.close() : session.reset()),
    async throwBatch(batch) {
      if (session.ended !== undefined) return `the session ended: ${session.ended}`;
      codes = {};
      const problem = await answered(() =>
        session.write(Buffer.concat([...batch.map(({ input }) => input.bytes), mark()])),
      );
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
