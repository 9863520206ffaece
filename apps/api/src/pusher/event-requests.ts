/** The bodies of requests that publish events in the Pusher HTTP API. */
import { HubbubError, isPlainObject, type Payload, utf8Length } from '@hubbub/protocol';
import { CHANNEL_MAX_LENGTH, channelKind, EVENT_NAME_MAX_LENGTH, roomOfChannel } from '@hubbub/protocol/pusher';

export const DATA_MAX_BYTES = 10_240;
export const CHANNELS_MAX = 100;
export const BATCH_EVENTS_MAX = 10;

/** A channel, and its room. */
export interface NamedChannel {
  readonly channel: string;
  readonly room: string;
}

/** One event, and the channels that it goes to. */
export interface EventRequest {
  readonly name: string;
  readonly data: string;
  readonly channels: readonly NamedChannel[];
  /** The connection that does not get it. */
  readonly socketId: string | undefined;
  /** Attributes of the channels that the answer has. */
  readonly info: readonly string[];
}

/** @throws {HubbubError} `INVALID_PAYLOAD`, `TOO_LARGE` */
export function readEvent(appId: string, body: unknown): EventRequest {
  if (!isPlainObject(body)) throw wrong('the body', 'expected a JSON object.');
  const { name, data, channel, channels = channel === undefined ? undefined : [channel] } = body;
  if (typeof name !== 'string' || name === '' || name.length > EVENT_NAME_MAX_LENGTH) {
    throw wrong('name', `expected text of 1 to ${EVENT_NAME_MAX_LENGTH} characters.`);
  }
  if (!Array.isArray(channels) || channels.length === 0 || channels.length > CHANNELS_MAX) {
    throw wrong('channels', `expected a list of 1 to ${CHANNELS_MAX} channels.`);
  }
  const named = channels.map(one => channelOf(appId, one));
  if (named.length > 1 && named.some(({ channel: one }) => channelKind(one)?.isEncrypted)) {
    throw wrong('channels', 'an event for an encrypted channel is for this channel alone.');
  }
  return { name, data: dataOf(data), channels: named, socketId: socketIdOf(body), info: infoOf(body.info) };
}

/** @throws {HubbubError} `INVALID_PAYLOAD`, `TOO_LARGE` */
export function readBatch(appId: string, body: unknown): EventRequest[] {
  const batch = isPlainObject(body) ? body.batch : undefined;
  if (!Array.isArray(batch) || batch.length > BATCH_EVENTS_MAX) {
    throw wrong('batch', `expected a list of at most ${BATCH_EVENTS_MAX} events.`);
  }
  return batch.map(one => {
    if (isPlainObject(one) && one.channels !== undefined)
      throw wrong('channels', 'an event of a batch has one channel.');
    return readEvent(appId, one);
  });
}

/** @throws {HubbubError} `INVALID_PAYLOAD` */
export function channelOf(appId: string, channel: unknown): NamedChannel {
  const room = typeof channel === 'string' ? roomOfChannel(appId, channel) : undefined;
  if (room === undefined || typeof channel !== 'string') {
    throw wrong('channel', `expected 1 to ${CHANNEL_MAX_LENGTH} letters, digits and _ - = @ , . ;`);
  }
  return { channel, room };
}

/** @example infoOf('user_count,subscription_count') is ['user_count', 'subscription_count'] */
export function infoOf(info: unknown): string[] {
  return typeof info === 'string' ? info.split(',').map(name => name.trim()) : [];
}

/** SDKs send text. Other values are as good, and clients get them as JSON. */
function dataOf(data: unknown): string {
  if (data === undefined) throw wrong('data', 'expected text.');
  const text = typeof data === 'string' ? data : JSON.stringify(data);
  if (utf8Length(text) <= DATA_MAX_BYTES) return text;
  throw new HubbubError('TOO_LARGE', `data: expected at most ${DATA_MAX_BYTES} bytes.`);
}

function socketIdOf({ socket_id: id }: Payload): string | undefined {
  if (id === undefined || id === null) return undefined;
  if (typeof id === 'string' && /^\d{1,20}\.\d{1,20}$/.test(id)) return id;
  throw wrong('socket_id', 'expected the id of a connection, such as 123.456.');
}

function wrong(field: string, problem: string): HubbubError {
  return new HubbubError('INVALID_PAYLOAD', `${field}: ${problem}`);
}
