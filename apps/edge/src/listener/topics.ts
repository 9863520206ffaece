/** Topics: native ones of WebSockets, which each belong to one app of the engine, and those of event streams. */
import { StreamTopics } from '../event-streams/stream-topics.js';
import type { PublishToTopic } from '../rooms/audience.js';
import { type Socket, STREAM_TOPIC } from '../sessions/session.js';
import type { TemplatedApp } from './engine.js';

export class Topics {
  readonly streams = new StreamTopics();
  readonly #apps = new Set<TemplatedApp>();
  readonly #appOf = new WeakMap<Socket, TemplatedApp>();

  readonly publish: PublishToTopic = (topic, bytes, isBinary, except) => {
    if (topic.startsWith(STREAM_TOPIC)) {
      this.streams.publish(topic, bytes, except);
      return;
    }
    except?.publish(topic, bytes, isBinary);
    if (except !== undefined && this.#apps.size === 1) return;
    const own = except && this.#appOf.get(except);
    for (const app of this.#apps) if (app !== own) app.publish(topic, bytes, isBinary);
  };

  get apps(): Iterable<TemplatedApp> {
    return this.#apps;
  }

  add(app: TemplatedApp): void {
    this.#apps.add(app);
  }

  delete(app: TemplatedApp): void {
    this.#apps.delete(app);
  }

  /** Needed for each socket where there may be several apps. */
  assign(socket: Socket, app: TemplatedApp): void {
    this.#appOf.set(socket, app);
  }
}
