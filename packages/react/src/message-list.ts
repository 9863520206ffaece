/** The messages of a room: its newest history, then live, with gaps where the history cannot fill them. */
import {
  type AnyEvents,
  createFrameIds,
  type Frame,
  type FrameTypeName,
  type HistoryPage,
  HubbubError,
  type MessagePayload,
  type Payload,
  type Room,
  type Sender,
  type SendOptions,
} from '@hubbub/client';
import {
  type AnyItem,
  type AnyMessage,
  findMessage,
  type GapItem,
  type Item,
  isGap,
  narrowGap,
  offsetOf,
  place,
  withoutOffset,
} from './message-items.js';
import { createStore, type Store } from './store.js';

export interface MessagesOptions<Name extends string = string> {
  /** The number of items that are kept; above it, the oldest ones go. Default 500. */
  readonly limit?: number | undefined;
  /** The number of messages that one request to the history asks for. Default 50; an edge returns at most 100. */
  readonly pageSize?: number | undefined;
  /** The types of frames that are messages. Default `['new_message']`. */
  readonly types?: readonly Name[] | undefined;
}

export interface MessagesView<Events = AnyEvents, Sent = Events, Name extends FrameTypeName<Events> = 'new_message'> {
  /** Oldest first. */
  readonly items: readonly Item<Events, Name>[];
  /** Whether older messages exist for which the list has room. */
  readonly hasEarlier: boolean;
  readonly isLoading: boolean;
  /** The reason why the last request to the history failed; `loadEarlier` repeats the first one. */
  readonly error?: HubbubError | undefined;
  /** Adds a page of older messages. */
  readonly loadEarlier: () => void;
  /** Sends a message and shows it immediately. The `id` of one that failed sends that one again. */
  readonly send: (payload: MessagePayload<Sent>, options?: SendOptions) => void;
  /** Removes an own message from the list, such as one that failed. */
  readonly discard: (id: string) => void;
}

/** Inside the list, where a frame has any type. */
export type AnyMessages = MessagesView<AnyEvents, AnyEvents, string>;

/** Before the first session, the client does not know its user. */
const UNKNOWN: Sender = { id: '', name: '' };

/** Pages that are read at most to fill one gap. */
const PAGES_MAX = 10;

/** @param me returns the user of this client */
export function createMessageList(
  room: Room,
  me: () => Sender | undefined,
  { limit = 500, pageSize = 50, types = ['new_message'] }: MessagesOptions,
): Store<AnyMessages> {
  const nextId = createFrameIds();
  /** Keys of gaps that could not be compared with the history. */
  const uncompared = new Set<string>();
  let items: readonly AnyItem[] = [];
  let keys = 0;
  let epoch: string | undefined;
  let isLoaded = false;
  let requests = 0;
  let error: HubbubError | undefined;
  /** Whether the history has older messages than the list, and the offset before which they end. */
  let earlier: Pick<HistoryPage, 'more' | 'next'> = { more: false };

  const nextKey = (): string => `${keys++}`;
  const hasEarlier = (): boolean => earlier.more && items.length < limit;
  const show = (): void => store.update({ items, hasEarlier: hasEarlier(), isLoading: requests > 0, error });

  const add = (item: AnyMessage, known: AnyItem | undefined): void => {
    const all = place(items, item, known);
    items = all.slice(-limit);
    if (items.length === all.length) return;
    const next = items.map(offsetOf).find(offset => offset !== undefined);
    earlier = next === undefined ? { more: false } : { more: true, next };
  };

  const put = (frame: Frame, own: boolean, delivery: AnyMessage['delivery']): void => {
    const known = findMessage(items, frame, own);
    add({ kind: 'message', key: known?.key ?? nextKey(), frame, own, delivery }, known);
  };

  const receive = (...frames: readonly Frame[]): void => {
    for (const frame of frames) {
      const { type, sender } = frame;
      if (types.includes(type)) put(frame, sender !== undefined && sender.id === me()?.id, 'sent');
    }
    show();
  };

  const enterEpoch = (next: string | undefined): void => {
    if (epoch !== undefined) items = items.map(withoutOffset);
    epoch = next;
  };

  /**
   * Adds one page of the history. Returns `undefined` if it cannot be read now.
   * @param isOldest whether the list begins with this page
   */
  const read = async (before: number | undefined, isOldest: boolean): Promise<HistoryPage | undefined> => {
    requests++;
    error = undefined;
    show();
    try {
      const page = await room.history({ before, limit: pageSize });
      if (page.epoch !== epoch) enterEpoch(page.epoch);
      if (isOldest) earlier = page;
      receive(...page.messages);
      return page;
    } catch (cause) {
      error = asHubbubError(cause);
      return undefined;
    } finally {
      requests--;
      show();
    }
  };

  const load = async (): Promise<void> => {
    isLoaded = (await read(undefined, true)) !== undefined || isLoaded;
  };

  /** Reads pages from the end of a gap towards its beginning. */
  const fill = async (key: string): Promise<void> => {
    const find = (): GapItem | undefined => items.filter(isGap).find(item => item.key === key);
    uncompared.delete(key);
    for (let pages = 0; pages < PAGES_MAX; pages++) {
      const begun = find();
      if (begun === undefined) return; // It was filled, or the bound of the list has removed it.
      const page = await read(begun.before, begun.since === undefined);
      const gap = find();
      if (page === undefined) uncompared.add(key);
      if (page === undefined || gap === undefined) return;
      items = narrowGap(items, gap, page.more ? page.next : page.messages[0]?.offset);
      show();
      if (gap.since === undefined || !page.more) return;
    }
  };

  const openGap = (gap: Omit<GapItem, 'kind' | 'key'>): void => {
    const key = nextKey();
    items = [...items, { kind: 'gap', key, ...gap }];
    show();
    // For these reasons the history has none of the messages.
    if (gap.reason !== 'no_history' && gap.reason !== 'too_old') void fill(key);
  };

  /** @param isResumed whether the client itself reports what is missing since the last session */
  const joined = (isResumed: boolean): void => {
    const again = [...uncompared];
    if (!isLoaded) void load();
    else if (!isResumed)
      openGap({ reason: 'not_joined', since: items.map(offsetOf).findLast(offset => offset !== undefined) });
    for (const key of again) void fill(key);
  };

  const send = async (payload: object, { id = nextId() }: SendOptions = {}): Promise<void> => {
    const now = new Date().toISOString();
    const frame: Frame = {
      type: 'new_message',
      room: room.name,
      id,
      payload: payload as Payload,
      sender: me() ?? UNKNOWN,
      timestamp: now,
    };
    put(frame, true, 'sending');
    show();
    const settle = (outcome: Partial<AnyMessage>): void => {
      const item = findMessage(items, frame, true);
      // A replay may have shown that it arrived.
      if (item?.delivery === 'sending') add({ ...item, ...outcome }, item);
      show();
    };
    try {
      const { epoch: place, offset, timestamp = now } = await room.send(payload, { id });
      const position = offset !== undefined && place === (epoch ?? place) && { offset };
      settle({ delivery: 'sent', frame: { ...frame, sender: me() ?? UNKNOWN, timestamp, ...position } });
    } catch (cause) {
      settle({ delivery: 'failed', error: asHubbubError(cause) });
    }
  };

  const loadEarlier = (): void => {
    if (requests > 0) return;
    if (!isLoaded) void load();
    else if (hasEarlier()) void read(earlier.next, true);
  };

  const discard = (id: string): void => {
    items = items.filter(item => isGap(item) || !item.own || item.frame.id !== id);
    show();
  };

  const view = {
    items,
    hasEarlier: false,
    isLoading: false,
    loadEarlier,
    send: (...sent: Parameters<typeof send>) => void send(...sent),
    discard,
  };
  const store = createStore<AnyMessages>(view, () => {
    const stops = [
      ...types.map(type => room.on<string>(type, receive)),
      room.onGap(({ reason, since, before }) => {
        if (reason === 'new_epoch') enterEpoch(undefined);
        // Before the first page, which contains what is missing, only a room without history has a gap to show.
        if (isLoaded || before === undefined) openGap({ reason, since, before });
      }),
      // The history continues in another epoch, with the same offsets.
      room.on('room_offset', frame => {
        if (frame.payload?.previous_epoch === epoch) epoch = frame.epoch;
      }),
      room.onStateChange(({ state, previous }) => state === 'joined' && joined(previous === 'rejoining')),
    ];
    if (room.state === 'joined') joined(false);
    return stops;
  });
  return store;
}

/** The client rejects with nothing else; anything else is a bug, which must not be hidden. */
function asHubbubError(error: unknown): HubbubError {
  if (error instanceof HubbubError) return error;
  throw error;
}
