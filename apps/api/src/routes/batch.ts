/** Many messages in one request, each with an outcome of its own. */
import { type ErrorCode, HubbubError } from '@hubbub/protocol';
import { z } from 'zod';
import { messageFields, parse, roomId, userId } from '../http/fields.js';
import { type Route, type RouteParts, route } from '../http/route.js';
import { keyInBatch } from '../idempotency.js';
import type { Target } from '../publishing.js';
import { publicationOf } from './publication.js';

export const BATCH_MAX_MESSAGES = 1000;

/** A message that names its own target. */
export const addressedMessage = z
  .strictObject({
    room_id: roomId.optional(),
    user_id: userId.optional(),
    all: z.literal(true).optional().describe('To every session of the cluster.'),
    ...messageFields,
  })
  .refine(({ room_id, user_id, all }) => [room_id, user_id, all].filter(to => to !== undefined).length === 1, {
    error: 'expected exactly one of room_id, user_id and all',
  })
  .describe('A message, and to whom: exactly one of `room_id`, `user_id` and `all`.');

type AddressedMessage = z.infer<typeof addressedMessage>;

export function targetOf({ room_id, user_id }: Pick<AddressedMessage, 'room_id' | 'user_id'>): Target {
  if (room_id !== undefined) return { kind: 'room', room: room_id };
  return user_id === undefined ? { kind: 'all' } : { kind: 'user', user: user_id };
}

const outcome = z.union([
  z.strictObject({
    status: z.literal('published'),
    epoch: z.string().optional(),
    offset: z.int().min(1).optional(),
    repeated: z.boolean(),
  }),
  z.strictObject({ status: z.literal('failed'), code: z.string(), message: z.string() }),
]);
type Outcome = z.infer<typeof outcome>;

interface Step {
  readonly index: number;
  readonly target: Target;
  run(): Promise<Outcome>;
}

export const batchRoute: Route = route({
  method: 'POST',
  path: '/batch',
  operationId: 'publishBatch',
  summary: `Up to ${BATCH_MAX_MESSAGES} messages, each with an outcome of its own`,
  description:
    'Messages to the same room, user or all are published in the order of the list. After a message that Redis did not take (`UNAVAILABLE`, `OUTCOME_UNKNOWN`), later ones to the same target are skipped, which keeps the order. With an idempotency key, of the batch or of each message, sending the batch again doubles nothing. The answer is 503 when Redis took none of them.',
  takesKey: true,
  body: z.strictObject({ messages: z.array(z.unknown()).min(1) }),
  describedBody: z.strictObject({ messages: z.array(addressedMessage).min(1).max(BATCH_MAX_MESSAGES) }),
  answer: z.strictObject({
    published: z.int().min(0).describe('Messages that were published now or before.'),
    failed: z.int().min(0),
    results: z.array(outcome).describe('One for each message, in the order of the list.'),
  }),
  async handle(parts, { body, key }) {
    if (body.messages.length > BATCH_MAX_MESSAGES) {
      parts.metrics.limited('batch_messages');
      throw new HubbubError('TOO_LARGE', `messages: expected at most ${BATCH_MAX_MESSAGES}`);
    }
    if (key !== undefined) await parts.publishing.claimBatch(key);
    const results: Outcome[] = new Array(body.messages.length);
    const lanes = new Map<string, Step[]>();
    for (const [index, message] of body.messages.entries()) {
      try {
        const step = stepOf(parts, message, index, key);
        const lane = JSON.stringify(step.target);
        lanes.set(lane, [...(lanes.get(lane) ?? []), step]);
      } catch (error) {
        results[index] = failure(error);
      }
    }
    await Promise.all([...lanes.values()].map(steps => runInOrder(steps, results)));
    const failed = results.filter(({ status }) => status === 'failed').length;
    if (failed === results.length) {
      const hasCode = (code: ErrorCode) => results.some(result => result.status === 'failed' && result.code === code);
      if (hasCode('OUTCOME_UNKNOWN')) {
        throw new HubbubError('OUTCOME_UNKNOWN', 'Redis did not answer; some of the messages may be published.');
      }
      if (hasCode('UNAVAILABLE')) throw new HubbubError('UNAVAILABLE', 'Redis took none of the messages.');
    }
    return { published: results.length - failed, failed, results };
  },
});

/** @throws {HubbubError} for a malformed message */
function stepOf({ publishing }: RouteParts, message: unknown, index: number, batchKey: string | undefined): Step {
  const { room_id, user_id, all: _, ...body } = parse(addressedMessage, message, 'the message');
  const target = targetOf({ room_id, user_id });
  const key = body.idempotency_key ?? (batchKey === undefined ? undefined : keyInBatch(batchKey, index));
  const publication = publicationOf(body, key);
  return {
    index,
    target,
    async run() {
      const { repeated, ...position } = await publishing.publish(target, publication);
      return { status: 'published', ...position, repeated: repeated === true };
    },
  };
}

async function runInOrder(steps: readonly Step[], results: Outcome[]): Promise<void> {
  let stopped: Outcome | undefined;
  for (const { index, run } of steps) {
    if (stopped !== undefined) {
      results[index] = stopped;
      continue;
    }
    try {
      results[index] = await run();
    } catch (error) {
      results[index] = failure(error);
      if (error instanceof HubbubError && (error.retryable || error.code === 'OUTCOME_UNKNOWN')) {
        const message = 'Not tried: Redis did not take an earlier message to the same room, user or all.';
        stopped = { status: 'failed', code: 'UNAVAILABLE', message };
      }
    }
  }
}

/** @throws any error that is not a HubbubError: it is a defect, and is reported as one */
function failure(error: unknown): Outcome {
  if (!(error instanceof HubbubError)) throw error;
  return { status: 'failed', code: error.code, message: error.message };
}
