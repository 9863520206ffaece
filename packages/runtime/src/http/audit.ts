/** The audit of requests that change something: the key, the operation and its targets, without payloads and secrets. */
import { HubbubError, isPlainObject } from '@hubbub/protocol';
import type { FastifyRequest } from 'fastify';

export interface AuditEntry {
  /** Name of the key. */
  readonly key: string;
  /** The `operationId` of the route, such as `closeRoom`. */
  readonly operation: string;
  /** The rooms, users and sessions that the request names, such as `room:chat:42`, `user:u1` or `all`; at most 20. */
  readonly targets: readonly string[];
  /** Messages of a batch. */
  readonly messages?: number;
  /** `done`, or the code of the refusal. */
  readonly result: string;
}

const MAX_TARGETS = 20;
/** Longer than every valid id; a refused request may hold any text. */
const MAX_TARGET_LENGTH = 200;

/** Describes a request of a known key, answered or refused. */
export function auditEntry(key: string, operation: string, request: FastifyRequest, error: unknown): AuditEntry {
  const input = { ...Object(request.params), ...Object(request.query), ...Object(request.body) };
  const messages = Array.isArray(input.messages) ? input.messages : undefined;
  const targets = new Set([input, ...(messages ?? [])].flatMap(targetsOf));
  return {
    key,
    operation,
    targets: [...targets].slice(0, MAX_TARGETS),
    ...(messages !== undefined && { messages: messages.length }),
    result: error === undefined ? 'done' : error instanceof HubbubError ? error.code : 'failed',
  };
}

function targetsOf(named: unknown): string[] {
  if (!isPlainObject(named)) return [];
  const { room_id: room, user_id: user, session_id: session, letter_id: letter, namespace, group, all } = named;
  return [
    ...(typeof room === 'string' ? [`room:${room}`] : []),
    ...(typeof user === 'string' ? [`user:${user}`] : []),
    ...(typeof session === 'string' ? [`session:${session}`] : []),
    ...(typeof letter === 'string'
      ? [`dead_letter:${namespace === undefined ? '' : `${namespace}/`}${group}/${letter}`]
      : []),
    ...(all === true ? ['all'] : []),
  ].map(target => target.slice(0, MAX_TARGET_LENGTH));
}
