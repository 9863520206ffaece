/** The page of the voting room: takes a room, and follows it from the lobby to the result of the vote. */
import type { HubbubClient } from '@hubbub/client';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { ask, hubClient, keep, kept, newId, ServiceError, shareableUrl, useRedraw, wordsOf } from '../../page/hub.js';
import { fieldsOf, PageBar, Problem, showPage, toast, useWork } from '../../page/ui.js';
import type { RoomAnswer, RoomStatus } from '../rules.js';
import { Gone, Lobby, Vote } from './views.js';
import '../../page/choices.css';

const HUE = 295;

function App() {
  const query = new URLSearchParams(location.search);
  const id = query.get('room') ?? query.get('vote');
  return id === null ? <Welcome /> : <RoomPage id={id} isVote={query.has('vote')} />;
}

function Welcome() {
  const work = useWork();
  const acquire = async (): Promise<void> => {
    const { room_id } = await ask<RoomStatus>('GET', '/api/rooms');
    location.assign(sameEdge(`/?room=${room_id}`));
  };
  const enter = (event: SubmitEvent): void => {
    const { code = '' } = fieldsOf(event);
    location.assign(sameEdge(`/?room=${encodeURIComponent(code)}`));
  };
  return (
    <>
      <PageBar title="Voting room" />
      <main class="columns welcome">
        <div class="stack">
          <p class="eyebrow">A lobby for your next vote</p>
          <h2 class="headline">Gather everybody. Start together.</h2>
          <p class="muted lead">
            Take a free room, share its link, and see who is ready. When you start, every screen moves on at the same
            moment.
          </p>
          <div class="row">
            <button type="button" class="primary big" disabled={work.busy} onClick={() => work.run(acquire)}>
              Take a free room
            </button>
          </div>
          <Problem of={work} />
          <form class="row enter" onSubmit={enter}>
            <label class="grow">
              <span class="visually-hidden">Code of a room</span>
              <input name="code" placeholder="Or type a room’s code" autocomplete="off" spellcheck={false} required />
            </label>
            <button type="submit">Enter</button>
          </form>
        </div>
        <ol class="steps card" aria-label="How it works">
          <li>
            <strong>Share</strong>
            <span class="muted">One link for everybody. No accounts.</span>
          </li>
          <li>
            <strong>Get ready</strong>
            <span class="muted">Each person enters a name.</span>
          </li>
          <li>
            <strong>Vote</strong>
            <span class="muted">All pages open the vote together, and show the result.</span>
          </li>
        </ol>
      </main>
    </>
  );
}

function RoomPage({ id, isVote }: { readonly id: string; readonly isVote: boolean }) {
  const [link, setLink] = useState('');
  const { client, status, present, gone, change } = useRoom(id);
  useLayoutEffect(() => void shareableUrl(`/?room=${encodeURIComponent(id)}`).then(setLink), [id]);
  useLayoutEffect(() => {
    // Also for a page that was away when the vote started.
    const { redirect_url } = status ?? {};
    if (!isVote && redirect_url !== undefined) location.assign(sameEdge(redirect_url));
    if (isVote && status?.status === 'waiting') location.replace(sameEdge(`/?room=${id}`));
  }, [status?.status]);

  const isHere = isVote === (status !== undefined && status.status !== 'waiting');
  return (
    <>
      <PageBar title="Voting room" client={client} />
      <main>
        {gone !== undefined && <Gone words={gone} />}
        {gone === undefined && status !== undefined && isHere && !isVote && (
          <Lobby {...{ status, present, link, change }} />
        )}
        {gone === undefined && status !== undefined && isHere && isVote && <Vote {...{ status, present, change }} />}
      </main>
    </>
  );
}

/** Follows a room: first by the answer of the service, then by the frames of the hub. The newer state wins. */
function useRoom(id: string) {
  const path = `/api/rooms/${encodeURIComponent(id)}`;
  const [client, setClient] = useState<HubbubClient>();
  const [status, setStatus] = useState<RoomAnswer>();
  const [gone, setGone] = useState<string>();
  const redraw = useRedraw();
  const ownName = useRef<string | undefined>(undefined);
  const [headers] = useState(() => ({ 'participant-key': participantKey(id) }));

  /** Two services may announce in either order. Frames do not contain what only this participant knows. */
  const take = (next: RoomAnswer): void =>
    setStatus(now => (now !== undefined && next.version < now.version ? now : { ...now, ...next }));
  const change = async (what: string, body: { readonly text?: string } = {}): Promise<void> => {
    if (what === 'participate') ownName.current = body.text;
    take(await ask<RoomAnswer>('PATCH', `${path}/${what}`, body, headers));
  };

  useLayoutEffect(() => {
    const read = async (): Promise<void> => take(await ask<RoomAnswer>('GET', `${path}/acquired`, undefined, headers));
    const open = async (): Promise<void> => {
      await read();
      const client = await hubClient(`${path}/ws`);
      const end = (words: string): void => {
        client.close();
        setGone(words);
      };
      const room = client.room(id);
      room.on('room_status', ({ payload }) => take(payload as unknown as RoomStatus as RoomAnswer));
      room.on('participant_ready', ({ payload }) => {
        if (payload?.message !== ownName.current) toast(`${payload?.message} is ready`, 'good');
      });
      // `room_status` follows, with the same address.
      room.on('voting_started', ({ payload }) => location.assign(sameEdge(String(payload?.redirect_url))));
      room.on('room_closed', ({ payload }) => end(`You were in it until now, and then ${reasonOf(payload)}.`));
      room.roster.onChange(redraw);
      // The room may have changed between the answer and the first frame, or while this page was away for too long.
      client.on('state', ({ state }) => {
        if (state === 'open') read().catch(error => isUnknown(error) && end(UNKNOWN));
      });
      setClient(client);
      client.connect().catch(() => {}); // The badge shows it.
    };
    open().catch(error => setGone(isUnknown(error) ? UNKNOWN : wordsOf(error)));
  }, [id]);

  return { client, status, gone, change, present: client?.room(id).roster.count ?? 0 };
}

const UNKNOWN = 'It was empty for a while, or somebody closed it. Rooms without people are forgotten.';

function isUnknown(error: unknown): boolean {
  return error instanceof ServiceError && error.status === 404;
}

function reasonOf(payload: object | undefined): string {
  return payload !== undefined && 'reason' in payload ? String(payload.reason) : 'the room was closed';
}

/** Identifies the participant of this tab; another tab is another participant. */
function participantKey(id: string): string {
  const name = `voting-room:${id}`;
  const key = kept<string>(name) ?? newId(16);
  keep(name, key);
  return key;
}

/** An address of this service, at the same edge. @throws {Error} for an address of another site */
function sameEdge(path: string): string {
  const address = new URL(path, location.origin);
  if (address.origin !== location.origin) {
    throw new Error(`The room leads to ${address.origin}, which is not this service.`);
  }
  const edge = new URLSearchParams(location.search).get('edge');
  if (edge !== null) address.searchParams.set('edge', edge);
  return address.href;
}

showPage(<App />, HUE);
