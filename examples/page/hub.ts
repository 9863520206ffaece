/** The hub and the service of a page: clients, requests, and hooks that follow a connection and a roster. */
import {
  type ConnectionState,
  HubbubClient,
  HubbubError,
  type Payload,
  type Room,
  type Roster,
  type TokenOption,
} from '@hubbub/client';
import { useCallback, useLayoutEffect, useState } from 'preact/hooks';

interface PageConfig {
  /** Such as `ws://127.0.0.1:9001`. */
  readonly edges: readonly string[];
  /** The service for other devices, if it listens on the network. */
  readonly networkUrl?: string;
}

let config: Promise<PageConfig> | undefined;

function pageConfig(): Promise<PageConfig> {
  config ??= fetch('/config.json').then(response => response.json());
  return config;
}

const OWN_DEVICE = ['127.0.0.1', 'localhost', '[::1]'];

/** An address of this service for others: one that a phone reaches, if the service listens on the network. */
export async function shareableUrl(path: string): Promise<string> {
  const { networkUrl } = await pageConfig();
  const isOnlyHere = OWN_DEVICE.includes(location.hostname);
  return new URL(path, isOnlyHere ? (networkUrl ?? location.origin) : location.origin).href;
}

/**
 * Makes a client of one of the edges, not yet connected: the edge of `?edge=n`, else any.
 * @param path such as `/ws`
 * @param token absent: a session without a token
 */
export async function hubClient(path: string, token?: TokenOption): Promise<HubbubClient> {
  const { edges } = await pageConfig();
  const wanted = new URLSearchParams(location.search).get('edge');
  const index = wanted === null ? Math.floor(Math.random() * edges.length) : Number(wanted) % edges.length;
  return new HubbubClient({ url: `${edges[index]}${path}`, ...(token !== undefined && { token }) });
}

/** An answer of the service that is not a success. Its message is for people. */
export class ServiceError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Requests something of the service. @throws {ServiceError} status 0 if the service does not answer */
export async function ask<Answer>(
  method: string,
  path: string,
  body?: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const json = body !== undefined && { body: JSON.stringify(body) };
  const type = body !== undefined && { 'content-type': 'application/json' };
  let response: Response;
  try {
    response = await fetch(path, { method, ...json, headers: { ...headers, ...type } });
  } catch {
    throw new ServiceError(0, 'The service does not answer. It may be restarting: try again in a moment.');
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new ServiceError(response.status, answer.error ?? `The service answers ${response.status}.`);
  return answer as Answer;
}

/** The text of an error for a person. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A unique name for a message. Not crypto.randomUUID: browsers have it on https and localhost only. */
export function newId(bytes = 12): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), byte => byte.toString(16).padStart(2, '0')).join('');
}

/** Longer than it takes until the edge admits another message. */
const REPEAT_MS = 1100;

/**
 * Sends a client event until the hub has it. A repetition has the same id, so it counts once.
 * @param mayRepeat decides before each repetition; the error is thrown if it returns false
 */
export async function sendUntilTaken(
  room: Room,
  type: string,
  payload: Payload,
  mayRepeat: (error: HubbubError, tries: number) => boolean,
): Promise<void> {
  const id = newId();
  for (let tries = 1; ; tries++) {
    try {
      await room.sendEvent(type, payload, { id });
      return;
    } catch (error) {
      const isTemporary = error instanceof HubbubError && (error.retryable || error.code === 'OUTCOME_UNKNOWN');
      if (!isTemporary || !mayRepeat(error, tries)) throw error;
      await new Promise(resolve => setTimeout(resolve, REPEAT_MS));
    }
  }
}

const PREFIX = 'hubbub-example:';

/** Reads what this tab kept over a reload, or this browser for later. Without storage, every load is like the first one. */
export function kept<Of>(name: string, where: 'tab' | 'browser' = 'tab'): Of | undefined {
  try {
    const text = storageOf(where).getItem(PREFIX + name);
    return text === null ? undefined : (JSON.parse(text) as Of);
  } catch {
    return undefined; // Storage is off, or holds what another version wrote.
  }
}

/** Keeps a value for this tab, or for this browser; `undefined` forgets it. */
export function keep(name: string, value: unknown, where: 'tab' | 'browser' = 'tab'): void {
  try {
    if (value === undefined) storageOf(where).removeItem(PREFIX + name);
    else storageOf(where).setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // Storage is off.
  }
}

function storageOf(where: 'tab' | 'browser'): Storage {
  return where === 'tab' ? sessionStorage : localStorage;
}

/** Returns a function that draws the component again: once for many simultaneous changes. */
export function useRedraw(): () => void {
  const [, set] = useState({});
  return useCallback(() => set({}), []);
}

export interface ConnectionView {
  readonly state: ConnectionState;
  /** In state `waiting`: when the next attempt begins, in milliseconds since 1970. */
  readonly retryAtMs: number | undefined;
  /** Why the connection ended. */
  readonly reason: string | undefined;
}

/** Follows the state of a connection. */
export function useConnection(client: HubbubClient): ConnectionView {
  const [view, setView] = useState<Omit<ConnectionView, 'state'>>({ retryAtMs: undefined, reason: undefined });
  useLayoutEffect(
    () =>
      client.on('state', ({ delayMs, error }) =>
        setView({ retryAtMs: delayMs === undefined ? undefined : Date.now() + delayMs, reason: error?.message }),
      ),
    [client],
  );
  return { state: client.state, ...view };
}

/** Follows the users of a room. The handle has to be the same one at each call. */
export function useRoster(room: Room): Pick<Roster, 'users' | 'count'> {
  const redraw = useRedraw();
  useLayoutEffect(() => room.roster.onChange(redraw), [room]);
  return room.roster;
}
