/** The page of an attendee: connects, keeps the state, and reports events. */
import { type HubbubClient, HubbubError } from '@hubbub/client';
import { byId } from '../../page/dom.js';
import { wordsOf } from '../../page/error-words.js';
import { hubClient } from '../../page/hub.js';
import { pageBar } from '../../page/page-bar.js';
import { toast } from '../../page/toasts.js';
import { celebrate } from './celebrate.js';
import {
  aboutComparison,
  attendeeJoined,
  attendeeLeft,
  comparisonUpdate,
  errorReply,
  sessionProgress,
} from './frames.js';
import { nameOf, SessionState } from './session-state.js';
import { SessionView } from './session-view.js';
import { VoteSender } from './vote-sender.js';

export interface Invitation {
  readonly project: string;
  readonly session: string;
  readonly attendee: string;
  readonly key: string;
}

/** Refusals that end the session for this page: reconnecting would not help. */
const FINAL_STATUS: Readonly<Record<number, string>> = {
  400: 'This link is not valid.',
  403: 'This link is not valid.',
  404: 'There is no such session any more.',
  409: 'This session is closed.',
};

export async function openSession(invitation: Invitation): Promise<void> {
  const { project, session, attendee } = invitation;
  const showConnection = pageBar('Pairwise session');
  let finalWords: string | undefined;
  const token = async (): Promise<string> => {
    const answer = await requestToken(invitation);
    if ('token' in answer) {
      view.title = answer.title;
      return answer.token;
    }
    finalWords = FINAL_STATUS[answer.status];
    if (finalWords !== undefined) throw new HubbubError('UNAUTHORIZED', finalWords);
    throw new Error(`The service answers ${answer.status}.`);
  };
  const client = await hubClient(`/projects/${project}/sessions/${session}/attendees/${attendee}/ws`, token);
  showConnection(client);
  const room = client.room(`pairwise:${project}.${session}`);
  const state = new SessionState(attendee);
  const sender = new VoteSender(room, {
    changed: (id, sending) => view.setSending(id, sending),
    failed: (id, error) => {
      view.setSending(id, undefined);
      toast(`Your vote was not taken: ${wordsOf(error)}`, 'bad');
    },
  });
  const view = new SessionView(state, {
    vote(id, vote) {
      state.cast(id, vote);
      sender.send(id, vote);
      view.show();
    },
    leave: () => void leave(),
  });

  room.on('attendee_joined', ({ payload, offset }) => {
    const joined = attendeeJoined.parse(payload);
    const isNews = state.joined(joined);
    // With an offset it is for all. Without one it answers our own join.
    if (isNews && offset !== undefined && joined.attendee_id !== attendee) toast(`${joined.name} is here.`);
    view.show();
  });
  room.on('attendee_left', ({ payload }) => {
    const { attendee_id, reason } = attendeeLeft.parse(payload);
    const name = state.people.get(attendee_id)?.name;
    state.left(attendee_id);
    if (name !== undefined) toast(reason === 'left' ? `${name} has left.` : `${name} has lost the connection.`);
    view.show();
  });
  room.on('comparison_update', ({ payload }) => {
    state.updated(comparisonUpdate.parse(payload));
    view.show();
  });
  room.on('session_progress', ({ payload }) => {
    state.progress = sessionProgress.parse(payload);
    view.show();
  });
  room.on('consensus_reached', ({ payload }) => {
    const { comparison_id } = aboutComparison.parse(payload);
    const comparison = state.comparisons.find(({ id }) => id === comparison_id);
    if (view.shownId === comparison_id) celebrate();
    else if (comparison?.consensus) {
      toast(`You all agree: ${nameOf(comparison.consensus, comparison.features)}.`, 'good');
    }
  });
  room.on('consensus_lost', ({ payload }) => {
    const { comparison_id } = aboutComparison.parse(payload);
    const names = state.comparisons.find(({ id }) => id === comparison_id)?.features.map(({ name }) => name);
    if (names !== undefined) toast(`No longer agreed: ${names.join(' or ')}. A vote has changed.`);
  });
  room.on('system_notice', ({ payload }) => {
    const { code, message } = errorReply.parse(payload);
    if (code === 'session_closed') finalWords = message;
    else toast(message);
  });
  room.on('error', ({ payload }) => {
    const { code, message } = errorReply.parse(payload);
    if (code !== 'RATE_LIMITED' && code !== 'UNAVAILABLE' && code !== 'OUTCOME_UNKNOWN') toast(message, 'bad');
  });

  client.on('state', ({ state: now, error }) => {
    // In every session: after a long reconnect the others think that we have left.
    if (now === 'open') void join(client, room);
    if (now === 'closed') view.end(finalWords ?? error?.message ?? 'The connection was ended.', finalWords === LEFT);
  });
  // Missed messages are unknown: joining again returns the whole state.
  room.onGap(() => void join(client, room));

  async function leave(): Promise<void> {
    finalWords = LEFT;
    // If it does not arrive, the end of the connection has the same effect.
    await room.sendEvent('leave_session').catch(() => {});
    client.close();
  }

  byId('rejoin', HTMLButtonElement).addEventListener('click', () => {
    finalWords = undefined;
    view.resume();
    void client.connect();
  });
  void client.connect();
}

const LEFT = 'You have left the session. Your votes are kept, and count again when you are back.';

async function join(client: HubbubClient, room: ReturnType<HubbubClient['room']>): Promise<void> {
  try {
    await room.sendEvent('join_session');
  } catch (error) {
    // Joining twice changes nothing.
    const mayRetry = error instanceof HubbubError && (error.retryable || error.code === 'OUTCOME_UNKNOWN');
    if (!mayRetry || client.state !== 'open') return;
    setTimeout(() => void join(client, room), 1100);
  }
}

type TokenAnswer = { readonly token: string; readonly title: string } | { readonly status: number };

/** The token, or the status of the refusal. */
async function requestToken({ project, session, attendee, key }: Invitation): Promise<TokenAnswer> {
  const response = await fetch(`/api/projects/${project}/sessions/${session}/attendees/${attendee}/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ key }),
  });
  return response.ok ? await response.json() : { status: response.status };
}
