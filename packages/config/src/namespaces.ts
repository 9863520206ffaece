/** Settings of namespaces, which only the configuration file holds. */
import { isFrameType, isNamespace, isOwnType, RIGHTS } from '@hubbub/protocol';
import { z } from 'zod';

const DAY_MS = 86_400_000;

function wholeNumber(min: number, max: number) {
  const error = `expected a whole number from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}

const RIGHTS_EXPECTED = `expected a list of ${RIGHTS.join(', ')}`;
const ASKED_EXPECTED = 'expected a list of join, publish';
const EVENTS_EXPECTED = 'expected a list of types such as vote_submitted, order.*, or *';

/** Checks whether a client event can match the pattern. */
export function isEventPattern(pattern: string): boolean {
  if (pattern === '*') return true;
  const type = pattern.endsWith('*') ? `${pattern.slice(0, -1)}a` : pattern;
  return isFrameType(type) && !isOwnType(type);
}

/** Whether one of the patterns is for the type. */
export function matchesEvent(patterns: readonly string[], type: string): boolean {
  return patterns.some(pattern => (pattern.endsWith('*') ? type.startsWith(pattern.slice(0, -1)) : type === pattern));
}

/** Every setting of a namespace, before the check of their relations. */
export const namespaceFields = z.strictObject({
  public: z
    .boolean({ error: 'expected true or false' })
    .default(false)
    .describe('Lets a token without `rooms` join the rooms of this namespace.'),
  echo: z
    .boolean({ error: 'expected true or false' })
    .default(false)
    .describe('Sends the sender of a message its own copy in addition to the ack.'),
  presence: z
    .enum(['on', 'counts', 'off'], { error: 'expected one of on, counts, off' })
    .default('on')
    .describe(
      'on: presence keeps rosters and reports joins and leaves. counts: it reports only counts. off: it keeps no roster.',
    ),
  leaveGraceMs: wholeNumber(0, 600_000)
    .default(5000)
    .describe('Time that a user stays in the roster after the connection ended, so that a reconnect is invisible.'),
  historySize: wholeNumber(0, 10_000)
    .default(0)
    .describe('Number of messages that each room keeps for recovery and the history frame. 0: no history.'),
  historyTtlMs: wholeNumber(1000, 30 * DAY_MS)
    .default(300_000)
    .describe('Time after its last message when a history is deleted.'),
  durable: z
    .boolean({ error: 'expected true or false' })
    .default(false)
    .describe(
      'Acknowledges a message only when a replica of Redis has it, so that a failover does not lose it. Needs a history.',
    ),
  conflate: z
    .boolean({ error: 'expected true or false' })
    .default(false)
    .describe(
      'Buffers only the newest message per key for a slow reader (above conflateAboveBytes). Not with a history.',
    ),
  requireRoomToken: z
    .boolean({ error: 'expected true or false' })
    .default(false)
    .describe("Makes every join need a room token, which names exactly one room; the session's token is not enough."),
  expireWithRoomToken: z
    .boolean({ error: 'expected true or false' })
    .default(false)
    .describe("Ends a membership when the room token of its join expires, unless the session's token opens the room."),
  anonymousRights: z
    .array(z.enum(RIGHTS, { error: RIGHTS_EXPECTED }), { error: RIGHTS_EXPECTED })
    .default([])
    .describe('Rights of sessions without a token in the rooms of this namespace. Empty: no rights.'),
  authorize: z
    .array(z.enum(['join', 'publish'], { error: ASKED_EXPECTED }), { error: ASKED_EXPECTED })
    .default([])
    .describe('Actions for which the edge asks the authorizer (authorizerUrl), in addition to checking the token.'),
  events: z
    .array(z.string({ error: EVENTS_EXPECTED }).refine(isEventPattern, { error: EVENTS_EXPECTED }), {
      error: EVENTS_EXPECTED,
    })
    .default([])
    .describe('Types of client events that services consume here: names, prefixes that end in `*`, or `*` for all.'),
  memberEvents: z
    .boolean({ error: 'expected true or false' })
    .default(false)
    .describe('Notifies services when a member joins, disconnects, reconnects or leaves (lifecycle streams).'),
  keepMembers: z
    .strictObject(
      {
        offlineAfterMs: wholeNumber(0, DAY_MS).describe(
          "Time from the end of the member's last connection until it is shown as offline.",
        ),
        expireAfterMs: wholeNumber(1000, 30 * DAY_MS).describe('Time from then until the member leaves.'),
      },
      {
        error: issue =>
          issue.code === 'invalid_type' ? 'expected an object with offlineAfterMs and expireAfterMs' : undefined,
      },
    )
    .optional()
    .describe(
      'Keeps members without a connection: offline after offlineAfterMs. They leave on request, or expireAfterMs later.',
    ),
});

/** A history promises every message to its members; conflation skips some. */
const namespaceSchema = namespaceFields
  .refine(({ conflate, historySize }) => !conflate || historySize === 0, {
    error: 'not together with historySize above 0: a history keeps every message, conflation skips some',
    path: ['conflate'],
  })
  .refine(({ durable, historySize }) => !durable || historySize > 0, {
    error: 'only together with historySize above 0: without a history, Redis keeps no message',
    path: ['durable'],
  });

/** Settings of one namespace. */
export type Namespace = Readonly<z.infer<typeof namespaceSchema>>;
export type Namespaces = Readonly<Record<string, Namespace>>;

export const namespacesSchema = z
  .preprocess(
    namespaces => withPublicDefault(withEmptyCollections(namespaces)),
    z.record(
      z.string().refine(isNamespace, { error: 'expected a namespace: letters, digits, _ . @ ~ = + -' }),
      namespaceSchema,
    ),
  )
  .default({});

type Fields = Readonly<Record<string, unknown>>;

function isMap(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** YAML has `null` where a map or a list has no entries. */
function withEmptyCollections(namespaces: unknown): unknown {
  if (namespaces === null) return {};
  if (!isMap(namespaces)) return namespaces;
  return Object.fromEntries(
    Object.entries(namespaces).map(([name, own]) => [name, own === null ? {} : isMap(own) ? withoutEmpty(own) : own]),
  );
}

function withoutEmpty(fields: Fields): Fields {
  const shape: Readonly<Record<string, z.ZodType>> = namespaceFields.shape;
  const isEmpty = (name: string, value: unknown) => value === null && isCollection(shape[name]);
  return Object.fromEntries(Object.entries(fields).filter(([name, value]) => !isEmpty(name, value)));
}

/** An empty collection equals an unset one, because no list has a default with items. */
function isCollection(schema: z.ZodType | undefined): boolean {
  const inner = schema instanceof z.ZodDefault || schema instanceof z.ZodOptional ? schema.unwrap() : schema;
  return inner instanceof z.ZodArray || inner instanceof z.ZodObject;
}

/** Makes `default` public unless its configuration sets `public`. */
function withPublicDefault(namespaces: unknown): unknown {
  if (typeof namespaces !== 'object' || namespaces === null || !('default' in namespaces)) return namespaces;
  const own = namespaces.default;
  return typeof own === 'object' ? { ...namespaces, default: { public: true, ...own } } : namespaces;
}

const UNCONFIGURED = Object.freeze(namespaceSchema.parse({}));
const DEFAULT = Object.freeze(namespaceSchema.parse({ public: true }));

/** Returns the settings of a namespace; an unconfigured one has every default and is not public. */
export function namespaceSettings(namespaces: Namespaces, name: string): Namespace {
  if (Object.hasOwn(namespaces, name)) return namespaces[name] ?? UNCONFIGURED;
  return name === 'default' ? DEFAULT : UNCONFIGURED;
}
