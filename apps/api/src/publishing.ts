/** Executes requests that clients notice: messages and controls, each at most once where it has a key. */
import { HubbubError, isErrorCode } from '@hubbub/protocol';
import { inSpan, type Span } from '@hubbub/runtime';
import type { Hubbub, Publication, Published, SessionAddress } from '@hubbub/server';
import { fingerprintOf } from './idempotency.js';
import type { KeyClaims } from './key-claims.js';
import type { ApiMetrics } from './metrics.js';

/** The recipients of a message. */
export type Target =
  | { readonly kind: 'room'; readonly room: string }
  | { readonly kind: 'user'; readonly user: string }
  /** The frame names the room. */
  | { readonly kind: 'session'; readonly session: SessionAddress; readonly room?: string }
  | { readonly kind: 'all' };

export type ControlRequest =
  | { readonly do: 'close_room'; readonly room: string; readonly reason?: string | undefined }
  | { readonly do: 'remove_user'; readonly room: string; readonly user: string; readonly reason?: string | undefined }
  | { readonly do: 'disconnect_user'; readonly user: string; readonly reason?: string | undefined };

export interface PublishingParts {
  readonly hubbub: Hubbub;
  readonly claims: KeyClaims;
  readonly metrics: ApiMetrics;
}

export class Publishing {
  readonly #hubbub: Hubbub;
  readonly #claims: KeyClaims;
  readonly #metrics: ApiMetrics;

  constructor({ hubbub, claims, metrics }: PublishingParts) {
    this.#hubbub = hubbub;
    this.#claims = claims;
    this.#metrics = metrics;
  }

  /**
   * @param parent the span of the request, if it is traced
   * @throws {HubbubError} as the server SDK does; `CONFLICT` when the key was used for something else, by whichever
   * process of the API.
   */
  async publish(target: Target, message: Publication, parent: Span | undefined): Promise<Published> {
    return await this.#counted(
      result => this.#metrics.published({ target: target.kind, result }),
      async () => {
        const { idempotencyKey, ...content } = message;
        await this.#claim(idempotencyKey, [target, content]);
        return await this.#publishTraced(target, message, parent);
      },
    );
  }

  async #publishTraced(target: Target, message: Publication, parent: Span | undefined): Promise<Published> {
    const span = parent?.startChild({ name: 'publish', kind: 'producer' });
    span?.set({ 'hubbub.target': target.kind });
    span?.setPersonal(personalOf(target));
    return await inSpan(
      span,
      () => this.#publish(target, span === undefined ? message : { ...message, traceparent: span.traceparent }),
      ({ offset, repeated }) => ({ 'hubbub.offset': offset, 'hubbub.repeated': repeated }),
    );
  }

  #publish(target: Target, message: Publication): Promise<Published> {
    switch (target.kind) {
      case 'room':
        return this.#hubbub.publishToRoom(target.room, message);
      case 'user':
        return this.#hubbub.publishToUser(target.user, message);
      case 'session':
        return this.#hubbub.publishToSession(target.session, message, target.room);
      case 'all':
        return this.#hubbub.publishToAll(message);
    }
  }

  /**
   * Claims the key for a batch. Each message of the batch gets a key of its own.
   * @throws {HubbubError} `CONFLICT`, `UNAVAILABLE`
   */
  async claimBatch(key: string): Promise<void> {
    await this.#claim(key, 'batch');
  }

  /** Throws as `publish` does. */
  async control(control: ControlRequest, idempotencyKey: string | undefined): Promise<Published> {
    return await this.#counted(
      result => this.#metrics.controlled({ do: control.do, result }),
      async () => {
        await this.#claim(idempotencyKey, control);
        const once = idempotencyKey === undefined ? {} : { idempotencyKey };
        switch (control.do) {
          case 'close_room':
            return await this.#hubbub.closeRoom(control.room, control.reason, once);
          case 'remove_user':
            return await this.#hubbub.removeFromRoom(control.room, control.user, control.reason, once);
          case 'disconnect_user':
            return await this.#hubbub.disconnectUser(control.user, control.reason, once);
        }
      },
    );
  }

  /**
   * Records the request of a key. The broker publishes at most once, in one step. So a process that dies leaves
   * nothing half done, and a retry finds the same outcome.
   */
  async #claim(key: string | undefined, use: unknown): Promise<void> {
    if (key === undefined || (await this.#claims.claim(key, fingerprintOf(use)))) return;
    throw new HubbubError(
      'CONFLICT',
      'This idempotency key was used for another request in the last 5 minutes; use a new key.',
    );
  }

  async #counted(count: (result: string) => void, work: () => Promise<Published>): Promise<Published> {
    try {
      const published = await work();
      count(published.repeated === true ? 'repeated' : 'published');
      return published;
    } catch (error) {
      const code = error instanceof HubbubError ? error.code : undefined;
      count(isErrorCode(code) ? code : 'failed');
      throw error;
    }
  }
}

/** The part of a target that a trace may hide. */
function personalOf(target: Target): { readonly room?: string; readonly user?: string } {
  if (target.kind === 'user') return { user: target.user };
  return 'room' in target && target.room !== undefined ? { room: target.room } : {};
}
