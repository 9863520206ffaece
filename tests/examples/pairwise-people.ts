/** The people of the pairwise session's stories: attendees with pages and without, who join, vote and receive messages. */
import type { Frame } from '@hubbub/protocol';
import { eventually } from '@hubbub/tools/kit';
import type { Page } from 'playwright-core';
import type { RawClient } from '../support/raw-client.js';
import { type RunningExample, startExample } from './support.js';

export const NAMES = ['Ada', 'Grace', 'Linus'];
export const FEATURES = ['Works offline', 'Shared calendars', 'Dark mode'];

export const FOR_FIRST = { preferred_feature_id: 'f1', is_tie_vote: false };
export const FOR_SECOND = { preferred_feature_id: 'f2', is_tie_vote: false };
export const TIE = { preferred_feature_id: null, is_tie_vote: true };

export interface Attendee {
  readonly id: string;
  readonly name: string;
  readonly key: string;
}

export interface Session {
  readonly example: RunningExample;
  readonly project: string;
  readonly key: string;
  readonly session: string;
  readonly room: string;
  readonly attendees: readonly Attendee[];
}

/** The example with short clocks. */
export async function startPairwise(env: Readonly<Record<string, string>> = {}): Promise<RunningExample> {
  return await startExample('pairwise-session', {
    times: { EXAMPLE_LEASE_MS: 1000, EXAMPLE_JOIN_SETTLED_MS: 1 },
    env: { HUBBUB_IDLE_TIMEOUT_MS: '8000', ...env }, // The least there is: one story waits for a silent connection.
    hub: { namespaces: { pairwise: { leaveGraceMs: 200 } } },
  });
}

/** Asks the service as who has the key. @throws {Error} when it refuses */
export async function ask<Answer>(example: RunningExample, path: string, body: object, key = ''): Promise<Answer> {
  const response = await fetch(`${example.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify(body),
  });
  const answer = (await response.json()) as Answer;
  if (!response.ok) throw new Error(`${path}: ${response.status} ${JSON.stringify(answer)}`);
  return answer;
}

export async function makeSession(example: RunningExample, names = NAMES, features = FEATURES): Promise<Session> {
  const made = await ask<{ project_id: string; key: string }>(example, '/api/projects', { name: 'P' });
  const { project_id: project, key } = made;
  const wanted = { name: 'S', features: features.map(name => ({ name })) };
  const { session_id } = await ask<{ session_id: string }>(example, `/api/projects/${project}/sessions`, wanted, key);
  const attendees: Attendee[] = [];
  for (const name of names) {
    const path = `/api/projects/${project}/attendees`;
    const added = await ask<{ attendee_id: string; key: string }>(example, path, { name }, key);
    attendees.push({ id: added.attendee_id, name, key: added.key });
  }
  return { example, project, key, session: session_id, room: `pairwise:${project}.${session_id}`, attendees };
}

export function attendeeAt({ attendees }: Session, index: number): Attendee {
  const attendee = attendees[index];
  if (attendee === undefined) throw new Error(`The session has no attendee ${index}.`);
  return attendee;
}

export function pathOf({ project, session }: Pick<Session, 'project' | 'session'>, attendee: string): string {
  return `/projects/${project}/sessions/${session}/attendees/${attendee}/ws`;
}

export async function tokenOf({ example, project, session }: Session, { id, key }: Attendee): Promise<string> {
  const path = `/api/projects/${project}/sessions/${session}/attendees/${id}/token`;
  return (await ask<{ token: string }>(example, path, { key })).token;
}

/** An attendee's connection that has not joined. */
export async function open(session: Session, index: number, edge: 0 | 1 = index % 2 === 0 ? 0 : 1): Promise<RawClient> {
  const attendee = attendeeAt(session, index);
  const token = await tokenOf(session, attendee);
  return await session.example.connect(pathOf(session, attendee.id), { edge, token, name: attendee.name });
}

/** An attendee who has joined and received the state of the session. */
export async function attend(session: Session, index: number): Promise<RawClient> {
  const client = await open(session, index);
  const id = newId('join');
  await tell(client, 'join_session', {}, id);
  await client.nextFrame({ type: 'session_progress', id });
  return client;
}

/** Everybody, and everybody knows that everybody is here. */
export async function attendAll(session: Session): Promise<RawClient[]> {
  const clients: RawClient[] = [];
  for (const index of session.attendees.keys()) clients.push(await attend(session, index));
  const last = session.attendees.at(-1)?.id;
  for (const client of clients) await client.nextFrame({ type: 'attendee_joined', payload: { attendee_id: last } });
  return clients;
}

let ids = 0;

/** For a frame: a second one of the same id within five minutes would change nothing. */
export function newId(prefix: string): string {
  return `${prefix}${++ids}`;
}

/** Sends an event without a room: it is about that of the path. */
export async function tell(client: RawClient, type: string, payload: object, id = newId('e')): Promise<void> {
  client.send({ type, payload, id });
  await client.nextFrame({ type: 'ack', id });
}

export async function cast(client: RawClient, comparison_id: string, choice: object): Promise<void> {
  await tell(client, 'vote_submitted', { vote: { comparison_id, ...choice } });
}

const OWN_TYPES = ['attendee_', 'vote_', 'consensus_', 'session_', 'comparison_', 'system_'];

/** The service's messages to the room, in order, without answers to this client. */
export function roomMessages({ frames }: RawClient): Frame[] {
  return frames.filter(({ type, offset }) => offset !== undefined && OWN_TYPES.some(own => type.startsWith(own)));
}

/** An attendee's page, on the edge of that number. */
export async function openPage(session: Session, index: number, edge: 0 | 1, screen = '#session'): Promise<Page> {
  const { id, key } = attendeeAt(session, index);
  const query = new URLSearchParams({ project: session.project, session: session.session, attendee: id });
  const page = await session.example.openPage(`/?${query}#${key}`, { edge });
  await page.locator(screen).waitFor();
  return page;
}

export async function untilHere(page: Page, count: number): Promise<void> {
  await eventually(async () => (await page.locator('#people li:not(.away)').count()) === count, {
    describe: `${count} are here`,
  });
}

export const says = (page: Page, text: string | RegExp): Promise<void> =>
  page.locator('#verdict', { hasText: text }).waitFor({ timeout: 15_000 });
