/** What may differ between namespaces of rooms. Only the configuration file holds them. */
import { CLIENT_FRAME_TYPES, isFrameType } from '@hubbub/protocol';
import { z } from 'zod';

const DAY_MS = 86_400_000;

function wholeNumber(min: number, max: number) {
  const error = `expected a whole number from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}

/** What a token, a room token or a namespace may allow in a room. */
export const RIGHTS = ['join', 'publish', 'event', 'presence', 'history'] as const;
export type Right = (typeof RIGHTS)[number];

const RIGHTS_EXPECTED = `expected a list of ${RIGHTS.join(', ')}`;
const ASKED_EXPECTED = 'expected a list of join, publish';
const EVENTS_EXPECTED = 'expected a list of types such as vote_submitted, order.*, or *';

/** Whether there is a client event that the pattern fits. */
function isEventPattern(pattern: string): boolean {
  if (pattern === '*') return true;
  if (pattern.endsWith('*')) return isFrameType(`${pattern.slice(0, -1)}a`);
  return isFrameType(pattern) && !(CLIENT_FRAME_TYPES as readonly string[]).includes(pattern);
}

/** Every setting of a namespace, before what holds between two of them. */
export const namespaceFields = z.strictObject({
  public: z
    .boolean({ error: 'expected true or false' })
    .default(false)
    .describe('Whether a token without `rooms` opens the rooms of this namespace.'),
  echo: z
    .boolean({ error: 'expected true or false' })
    .default(false)
    .describe('Whether the sender of a message gets its own copy beside the ack.'),
  presence: z
    .enum(['on', 'counts', 'off'], { error: 'expected one of on, counts, off' })
    .default('on')
    .describe('Whether rosters are kept and told, only counted, or not kept.'),
  leaveGraceMs: wholeNumber(0, 600_000)
    .default(5000)
    .describe('A user whose connection ended stays in the roster for so long, so that a reconnect is invisible.'),
  historySize: wholeNumber(0, 10_000)
    .default(0)
    .describe('Messages that each room remembers, for recovery and the history frame. 0: none.'),
  historyTtlMs: wholeNumber(1000, 30 * DAY_MS)
    .default(300_000)
    .describe('A history is forgotten so long after its last message.'),
  conflate: z
    .boolean({ error: 'expected true or false' })
    .default(false)
    .describe(
      'Whether only the newest message per key waits for a slow reader (above conflateAboveBytes), instead of cutting it off. Not with a history.',
    ),
  requireRoomToken: z
    .boolean({ error: 'expected true or false' })
    .default(false)
    .describe("Whether the session's token is not enough, and a join needs a room token, which names the one room."),
  anonymousRights: z
    .array(z.enum(RIGHTS, { error: RIGHTS_EXPECTED }), { error: RIGHTS_EXPECTED })
    .default([])
    .describe('What sessions without a token may do in the rooms of this namespace. Empty: nothing.'),
  authorize: z
    .array(z.enum(['join', 'publish'], { error: ASKED_EXPECTED }), { error: ASKED_EXPECTED })
    .default([])
    .describe('What the authorizer (authorizerUrl) is asked about here, beside what the token says.'),
  events: z
    .array(z.string({ error: EVENTS_EXPECTED }).refine(isEventPattern, { error: EVENTS_EXPECTED }), {
      error: EVENTS_EXPECTED,
    })
    .default([])
    .describe('Types of client events that services take here: names, a beginning with `*`, or `*` for all.'),
  memberEvents: z
    .boolean({ error: 'expected true or false' })
    .default(false)
    .describe('Whether services are told of each member that comes, drops, returns and goes (lifecycle streams).'),
  keepMembers: z
    .strictObject(
      {
        offlineAfterMs: wholeNumber(0, DAY_MS).describe('From the end of the last connection until it is shown.'),
        expireAfterMs: wholeNumber(1000, 30 * DAY_MS).describe('From then until the member has left.'),
      },
      {
        error: issue =>
          issue.code === 'invalid_type' ? 'expected an object with offlineAfterMs and expireAfterMs' : undefined,
      },
    )
    .optional()
    .describe(
      'Members whose connection ended stay, shown as offline after offlineAfterMs, until they leave by themselves or expireAfterMs later.',
    ),
});

/** A history promises every message to those who stay; conflation skips some. */
const namespaceSchema = namespaceFields.refine(({ conflate, historySize }) => !conflate || historySize === 0, {
  error: 'not together with historySize above 0: a history has every message, conflation skips some',
  path: ['conflate'],
});

/** Settings of one namespace. */
export type Namespace = Readonly<z.infer<typeof namespaceSchema>>;
export type Namespaces = Readonly<Record<string, Namespace>>;

const NAMESPACE_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.@~=+-]{0,63}$/;

export const namespacesSchema = z
  .preprocess(
    namespaces => withPublicDefault(withEmptyCollections(namespaces)),
    z.record(
      z.string().regex(NAMESPACE_NAME, { error: 'expected a namespace: letters, digits, _ . @ ~ = + -' }),
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

/** Where nothing is in it, it is as if it were not set: no list has a default with items. */
function isCollection(schema: z.ZodType | undefined): boolean {
  const inner = schema instanceof z.ZodDefault || schema instanceof z.ZodOptional ? schema.unwrap() : schema;
  return inner instanceof z.ZodArray || inner instanceof z.ZodObject;
}

/** Rooms without a colon are public unless the configuration says otherwise, also where it says other things of them. */
function withPublicDefault(namespaces: unknown): unknown {
  if (typeof namespaces !== 'object' || namespaces === null || !('default' in namespaces)) return namespaces;
  const own = namespaces.default;
  return typeof own === 'object' ? { ...namespaces, default: { public: true, ...own } } : namespaces;
}

const UNCONFIGURED = Object.freeze(namespaceSchema.parse({}));
const DEFAULT = Object.freeze(namespaceSchema.parse({ public: true }));

/** The settings of a namespace; one that is not configured takes every default and is not public. */
export function namespaceSettings(namespaces: Namespaces, name: string): Namespace {
  if (Object.hasOwn(namespaces, name)) return namespaces[name] ?? UNCONFIGURED;
  return name === 'default' ? DEFAULT : UNCONFIGURED;
}
