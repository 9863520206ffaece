/** The Pusher HTTP API: the paths and answers that server SDKs of Pusher expect. Each request is signed by the app's secret. */
import type { PusherApp } from '@hubbub/config';
import { HubbubError, jsonCodec } from '@hubbub/protocol';
import { channelKind, EVENT_FRAME, type PusherEvent, roomOfChannel, userChannel } from '@hubbub/protocol/pusher';
import type { HttpRequest, HttpServer } from '@hubbub/runtime/http';
import type { Publishing } from '../publishing.js';
import { type ChannelParts, Channels } from './channels.js';
import { channelOf, type EventRequest, infoOf, readBatch, readEvent } from './event-requests.js';
import { assertSignedRequest } from './request-signature.js';

export interface PusherRoutesParts extends ChannelParts {
  readonly apps: readonly PusherApp[];
  readonly publishing: Publishing;
}

/** A request whose signature is right. */
interface AppRequest extends Pick<HttpRequest, 'span'> {
  readonly app: PusherApp;
  readonly query: URLSearchParams;
  readonly body: Buffer;
  readonly params: Readonly<Record<string, string>>;
}

type Handler = (request: AppRequest) => Promise<object>;

const NO_BODY = Buffer.alloc(0);

/** A plugin of the API's server. Requests carry a signature in place of an API key. */
export function pusherRoutes({ apps, publishing, ...parts }: PusherRoutesParts) {
  const byId = new Map(apps.map(app => [app.id, app]));
  const channels = new Channels(parts);

  const verified = (request: HttpRequest): AppRequest => {
    const params = request.params as Readonly<Record<string, string>>;
    const app = byId.get(params.app_id ?? '');
    if (app === undefined) throw new HubbubError('NOT_FOUND', 'There is no app with this id.');
    const body = Buffer.isBuffer(request.body) ? request.body : NO_BODY;
    const query = assertSignedRequest({ method: request.method, url: request.url, body }, app);
    return { app, query, body, params, span: request.span };
  };

  /**
   * Returns the attributes of each event's channels. They come first: where presence does not answer, nothing is published,
   * and the back end may send the request again.
   */
  const publish = async (
    { app, span }: AppRequest,
    events: readonly EventRequest[],
  ): Promise<Record<string, object>[]> => {
    const attributes = await Promise.all(
      events.map(async event => {
        const named = event.channels.map(
          async one => [one.channel, await channels.attributes(app, one, event.info)] as const,
        );
        return Object.fromEntries(await Promise.all(named));
      }),
    );
    // One after the other: members of a channel get the events in this order.
    for (const { name, data, socketId, channels: targets } of events) {
      const message = {
        type: EVENT_FRAME,
        payload: { event: name, data } satisfies PusherEvent,
        ...(socketId !== undefined && { excludeSession: socketId }),
      };
      await Promise.all(targets.map(({ room }) => publishing.publish({ kind: 'room', room }, message, span)));
    }
    return attributes;
  };

  const handlers: Readonly<Record<string, Handler>> = {
    'POST /apps/:app_id/events': async request => {
      const event = readEvent(request.app.id, parsed(request.body));
      const [attributes] = await publish(request, [event]);
      return event.info.length === 0 ? {} : { channels: attributes };
    },
    'POST /apps/:app_id/batch_events': async request => {
      const events = readBatch(request.app.id, parsed(request.body));
      const attributes = await publish(request, events);
      return events.some(({ info }) => info.length > 0) ? { batch: attributes.flatMap(Object.values) } : {};
    },
    'GET /apps/:app_id/channels': async ({ app, query }) => ({
      channels: await channels.occupied(app, query.get('filter_by_prefix') ?? '', infoOf(query.get('info'))),
    }),
    'GET /apps/:app_id/channels/:channel': async ({ app, query, params }) => {
      return await channels.describe(app, channelOf(app.id, params.channel), infoOf(query.get('info')));
    },
    'GET /apps/:app_id/channels/:channel/users': async ({ app, params }) => {
      const { channel, room } = channelOf(app.id, params.channel);
      if (!channelKind(channel)?.isPresence) {
        throw new HubbubError('INVALID_PAYLOAD', 'channel: only presence channels have users.');
      }
      return { users: (await channels.members(room)).map(({ id }) => ({ id })) };
    },
    'POST /apps/:app_id/users/:user_id/terminate_connections': async ({ app, params }) => {
      const room = roomOfChannel(app.id, userChannel(params.user_id ?? ''));
      if (room === undefined) throw new HubbubError('INVALID_PAYLOAD', 'user_id: expected a shorter id.');
      await publishing.control({ do: 'close_room', room, reason: 'disconnected by the app' }, undefined);
      return {};
    },
  };

  return async (server: HttpServer): Promise<void> => {
    // The signature covers the bytes of the body, whatever its type.
    server.removeAllContentTypeParsers();
    server.addContentTypeParser('*', { parseAs: 'buffer' }, async (_request: unknown, body: Buffer) => body);
    for (const [name, handle] of Object.entries(handlers)) {
      const [method = '', url = ''] = name.split(' ');
      server.route({ method, url, handler: async request => await handle(verified(request)) });
    }
  };
}

/** @throws {HubbubError} `INVALID_FORMAT` */
function parsed(body: Buffer): unknown {
  return jsonCodec.decode(body);
}
