/** The items of a list of messages: each message once, in the order of the room's history. */
import type { AnyEvents, Frame, FrameOf, FrameTypeName, Gap, HubbubError } from '@hubbub/client';

/** The frames of these types, with the payloads that the application names. */
export type MessageOf<Events, Name extends string> = {
  [Each in Name]: FrameOf<Events, Each> & { readonly type: Each };
}[Name];

/**
 * @typeParam Events payloads by event name
 * @typeParam Name the types of frames that are messages
 */
export interface MessageItem<Events = AnyEvents, Name extends FrameTypeName<Events> = 'new_message'> {
  readonly kind: 'message';
  /** For React: it stays when a sent message gets its position. */
  readonly key: string;
  readonly frame: MessageOf<Events, Name>;
  /** Whether this user sent it, from this client or from another one. */
  readonly own: boolean;
  /** `sending` and `failed` are states of messages from this list. */
  readonly delivery: 'sent' | 'sending' | 'failed';
  /** The reason, when `delivery` is `failed`. */
  readonly error?: HubbubError | undefined;
}

/** Messages may be missing at this place of the list. */
export interface GapItem {
  readonly kind: 'gap';
  readonly key: string;
  /** As in `room.onGap`; `not_joined` if the room was left in between. */
  readonly reason: Gap['reason'];
  /** The last offset before the gap and the first one after it, where they are known. */
  readonly since?: number | undefined;
  readonly before?: number | undefined;
}

export type Item<Events = AnyEvents, Name extends FrameTypeName<Events> = 'new_message'> =
  | MessageItem<Events, Name>
  | GapItem;

/** Inside the list, where a frame has any type. */
export type AnyMessage = MessageItem<AnyEvents, string>;
export type AnyItem = AnyMessage | GapItem;

export function isGap(item: AnyItem | undefined): item is GapItem {
  return item?.kind === 'gap';
}

/** The offset of a message, where it has one. */
export function offsetOf(item: AnyItem): number | undefined {
  return isGap(item) ? undefined : item.frame.offset;
}

/** Inserts the message before the first one with a greater offset, or at the end, instead of its earlier form. */
export function place(items: readonly AnyItem[], item: AnyMessage, earlier: AnyItem | undefined): readonly AnyItem[] {
  const others = items.filter(other => other !== earlier);
  const offset = item.frame.offset ?? Infinity;
  const index = others.findIndex(other => (offsetOf(other) ?? 0) > offset);
  others.splice(index < 0 ? others.length : index, 0, item);
  return others;
}

/** The item that shows the message of this frame. The ids of one author are unique. */
export function findMessage(items: readonly AnyItem[], frame: Frame, own: boolean): AnyMessage | undefined {
  const { offset, id, type, sender } = frame;
  return items.find((item): item is AnyMessage => {
    if (isGap(item)) return false;
    const known = item.frame;
    if (offset !== undefined && offset === known.offset) return true;
    const isAuthor = own ? item.own : sender?.id === known.sender?.id;
    return id !== undefined && id === known.id && type === known.type && isAuthor;
  });
}

/** Lets the gap end before this offset, or removes it if nothing is missing any more. */
export function narrowGap(items: readonly AnyItem[], gap: GapItem, before: number | undefined): readonly AnyItem[] {
  const isFilled = gap.since !== undefined && before !== undefined && before <= gap.since + 1;
  return items.flatMap(item => (item !== gap ? item : isFilled ? [] : { ...gap, before }));
}

/** The history was lost: the offsets so far mean nothing in the new one. */
export function withoutOffset(item: AnyItem): AnyItem {
  if (isGap(item)) return { ...item, since: undefined, before: undefined };
  const { offset: _, ...frame } = item.frame;
  return { ...item, frame };
}
