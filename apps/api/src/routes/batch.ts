/** Many messages in one request, each with an outcome of its own. */
import { type ErrorCode, HubbubError } from '@hubbub/protocol';
import { parse, type Route, requireNamespace } from '@hubbub/runtime/http';
import { z } from 'zod';
import { keyInBatch } from '../idempotency.js';
import type { Target } from '../publishing.js';
import { apiRoute, type RequestFacts, type RouteParts } from './api-route.js';
import { FIELD_CODES } from './fields.js';
import { addressedMessage, readMessage } from './messages.js';

export const BATCH_MAX_MESSAGES = 1000;

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

/** Each message is checked by itself, so that a mistake in one does not refuse the others. */
const described = z.unknown().meta({ ...z.toJSONSchema(addressedMessage, { io: 'input', unrepresentable: 'any' }) });

export function batchRoute(parts: RouteParts): Route {
  return apiRoute({
    method: 'POST',
    operation: 'publish',
    scope: 'open',
    path: '/batch',
    operationId: 'publishBatch',
    summary: `Up to ${BATCH_MAX_MESSAGES} messages, each with an outcome of its own`,
    description:
      'Messages to the same room, user or all are published in the order of the list. After a message that Redis did not take (`UNAVAILABLE`, `OUTCOME_UNKNOWN`), later ones to the same target are skipped, which keeps the order. With an idempotency key, of the batch or of each message, sending the batch again doubles nothing. The answer is 503 when Redis took none of them.',
    takesKey: true,
    failures: [503],
    takes: z.strictObject({ messages: z.array(described).min(1).meta({ maxItems: BATCH_MAX_MESSAGES }) }),
    answer: z.strictObject({
      published: z.int().min(0).describe('Messages that were published now or before.'),
      failed: z.int().min(0),
      results: z.array(outcome).describe('One for each message, in the order of the list.'),
    }),
    handle: ({ messages }, key, { apiKey, span }) => publishBatch(parts, messages, { key, apiKey, span }),
  });
}

interface BatchRequest extends RequestFacts {
  /** The idempotency key. */
  readonly key: string | undefined;
}

interface Outcomes {
  published: number;
  failed: number;
  results: Outcome[];
}

async function publishBatch(parts: RouteParts, messages: readonly unknown[], request: BatchRequest): Promise<Outcomes> {
  if (messages.length > BATCH_MAX_MESSAGES) {
    parts.metrics.limited('batch_messages');
    throw new HubbubError('TOO_LARGE', `messages: expected at most ${BATCH_MAX_MESSAGES}`);
  }
  if (request.key !== undefined) await parts.publishing.claimBatch(request.key);
  const results: Outcome[] = new Array(messages.length);
  const lanes = new Map<string, Step[]>();
  for (const [index, message] of messages.entries()) {
    try {
      const step = stepOf(parts, message, index, request);
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
}

/** @throws {HubbubError} for a malformed message, or one outside the namespaces of the API key */
function stepOf(
  { publishing }: RouteParts,
  message: unknown,
  index: number,
  { key: batchKey, apiKey, span }: BatchRequest,
): Step {
  const body = parse(addressedMessage, message, 'the message', FIELD_CODES);
  if (apiKey !== undefined) requireNamespace(apiKey, body.room_id);
  const key = body.idempotency_key ?? (batchKey === undefined ? undefined : keyInBatch(batchKey, index));
  const { target, publication } = readMessage(body, key);
  return {
    index,
    target,
    async run() {
      const { repeated, ...position } = await publishing.publish(target, publication, span);
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
        const message = 'Skipped: Redis did not take an earlier message to the same room, user or all.';
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
