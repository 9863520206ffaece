/** Domain events of other programs, as text on any bus. Those programs know nothing of WebSockets. */
import { z } from 'zod';

const id = z.string().regex(/^[\w.-]{1,64}$/);
const text = z.string().min(1).max(4000);
const at = z.iso.datetime({ offset: true }).optional();

/** Fields that are not named here are other readers'. */
const domainEvent = z.discriminatedUnion('event', [
  z.object({ event: z.literal('MessagePosted'), chat_id: id, message_id: id, user_id: id, text, at }),
  z.object({ event: z.literal('MessageEdited'), chat_id: id, message_id: id, text, at }),
  z.object({
    event: z.literal('StatusChanged'),
    chat_id: id,
    task_id: id,
    status: z.enum(['open', 'doing', 'review', 'done']),
    title: z.string().min(1).max(200).optional(),
    at,
  }),
  z.object({
    event: z.literal('NotificationCreated'),
    user_id: id,
    notification_id: id,
    text: z.string().min(1).max(500),
    chat_id: id.optional(),
    at,
  }),
]);

export type DomainEvent = z.infer<typeof domainEvent>;

/** An event that will not be of use however often it is tried. */
export class UnusableEvent extends Error {}

/** @throws {UnusableEvent} with the problem */
export function readDomainEvent(json: string): DomainEvent {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new UnusableEvent('not JSON');
  }
  const { success, data, error } = domainEvent.safeParse(value);
  if (success) return data;
  const issue = error.issues[0];
  throw new UnusableEvent(`${issue?.path.join('.') || 'event'}: ${issue?.message}`);
}
