/** The lobby: take a room, share it, see who is ready, start. */
import { avatar, byId, element } from '../../page/dom.js';
import { ask } from '../../page/hub.js';
import { pageBar } from '../../page/page-bar.js';
import { toast } from '../../page/toasts.js';
import { type FollowedRoom, followRoom, type RoomStatus, sameEdge, wordsOf } from './room.js';

const CONFIRM_MS = 4000;
const roomId = new URLSearchParams(location.search).get('room');
const showConnection = pageBar('Voting room');
const path = `/api/rooms/${encodeURIComponent(roomId ?? '')}`;
const startButton = byId('start', HTMLButtonElement);
/** The name of this person; another tab is another person. */
let ownName = sessionStorage.getItem(`voting-room:${roomId}`) ?? undefined;

let room: FollowedRoom | undefined;

if (roomId === null) welcome();
else void enterLobby(roomId);

function welcome(): void {
  byId('welcome', HTMLElement).hidden = false;
  const button = byId('acquire', HTMLButtonElement);
  button.addEventListener('click', () =>
    during(button, 'welcome-problem', async () => {
      const room = await ask<RoomStatus>('GET', '/api/rooms');
      location.assign(sameEdge(`/?room=${room.room_id}`));
    }),
  );
  byId('enter', HTMLFormElement).addEventListener('submit', event => {
    event.preventDefault();
    const code = byId('code', HTMLInputElement).value.trim();
    location.assign(sameEdge(`/?room=${encodeURIComponent(code)}`));
  });
}

async function enterLobby(id: string): Promise<void> {
  const link = byId('link', HTMLInputElement);
  link.value = `${location.origin}/?room=${encodeURIComponent(id)}`;
  link.addEventListener('focus', () => link.select());
  byId('copy', HTMLButtonElement).addEventListener('click', () => void copy(link));
  byId('ready', HTMLFormElement).addEventListener('submit', sayReady);
  startButton.addEventListener('click', () =>
    during(startButton, 'start-problem', () => ask('PATCH', `${path}/start`)),
  );
  askTwice(byId('release', HTMLButtonElement), 'Really close it for everybody?', button =>
    during(button, 'start-problem', () => ask('PATCH', `${path}/release`)),
  );
  room = await followRoom(id, showConnection, {
    changed: showRoom,
    ready: name => name !== ownName && toast(`${name} is ready`, 'good'),
    started: redirectUrl => location.assign(sameEdge(redirectUrl)),
    gone: showGone,
  });
}

function showRoom({ status, participants, redirect_url }: RoomStatus, present: number): void {
  if (status === 'started' && redirect_url !== undefined) {
    location.assign(sameEdge(redirect_url)); // Late clients follow too.
    return;
  }
  byId('lobby', HTMLElement).hidden = false;
  const undecided = Math.max(0, present - participants.length);
  const rows = participants.map(name => personRow(name));
  const isReady = ownName !== undefined && participants.includes(ownName);
  if (undecided > 0) rows.push(undecidedRow(undecided, !isReady));
  byId('people', HTMLUListElement).replaceChildren(...rows);
  byId('alone', HTMLElement).hidden = rows.length > 0;
  byId('count', HTMLElement).textContent = `${present} here · ${participants.length} ready`;
  startButton.disabled = participants.length === 0;
  byId('start-hint', HTMLElement).textContent =
    participants.length === 0
      ? 'You can start as soon as somebody is ready.'
      : undecided === 0
        ? 'Everybody is ready.'
        : `${undecided} ${undecided === 1 ? 'person is' : 'people are'} not ready yet. You can start all the same.`;
  if (isReady && ownName !== undefined) showOwnName(ownName);
}

function personRow(name: string): HTMLElement {
  const own = name === ownName && element('span', { class: 'badge' }, 'you');
  return element(
    'li',
    { 'data-participant': name },
    avatar(name, name),
    element('span', { class: 'name' }, name),
    own,
    element('span', { class: 'badge good' }, '✓ Ready'),
  );
}

function undecidedRow(count: number, withYou: boolean): HTMLElement {
  return element(
    'li',
    { class: 'undecided', 'data-undecided': String(count) },
    element('span', { class: 'avatar', 'aria-hidden': 'true' }, '…'),
    element('span', { class: 'name muted' }, `${undecidedPeople(count, withYou)} getting ready`),
  );
}

function undecidedPeople(count: number, withYou: boolean): string {
  if (!withYou) return count === 1 ? 'One more is' : `${count} more are`;
  if (count === 1) return 'You are';
  return count === 2 ? 'You and one more are' : `You and ${count - 1} more are`;
}

function sayReady(event: Event): void {
  event.preventDefault();
  const text = byId('name', HTMLInputElement).value.trim();
  void during(byId('ready-button', HTMLButtonElement), 'ready-problem', async () => {
    if (text === '') throw new Error('Write your name first.');
    ownName = text;
    sessionStorage.setItem(`voting-room:${roomId}`, text);
    room?.take(await ask<RoomStatus>('PATCH', `${path}/participate`, { text }));
  });
}

/** The form has done its work; its card stays as large as it was. */
function showOwnName(name: string): void {
  byId('name', HTMLInputElement).value = name;
  byId('name', HTMLInputElement).readOnly = true;
  byId('ready-button', HTMLButtonElement).hidden = true;
  const done = byId('ready-done', HTMLElement);
  done.hidden = false;
  done.textContent = '✓ You are ready. Wait here.';
}

function showGone(why: string): void {
  byId('lobby', HTMLElement).hidden = true;
  byId('gone', HTMLElement).hidden = false;
  byId('gone-why', HTMLElement).textContent = why;
}

async function copy(link: HTMLInputElement): Promise<void> {
  try {
    await navigator.clipboard.writeText(link.value);
    toast('The link is copied', 'good');
  } catch {
    link.select(); // A browser that does not allow it.
    toast('The link is selected: copy it with Ctrl+C');
  }
}

/** Runs what a button asks for; the button waits, and an error appears beside it. */
async function during(button: HTMLButtonElement, problemId: string, work: () => Promise<unknown>): Promise<void> {
  const problem = byId(problemId, HTMLElement);
  problem.textContent = '';
  button.disabled = true;
  try {
    await work();
  } catch (error) {
    problem.textContent = wordsOf(error);
  } finally {
    button.disabled = false;
  }
}

/** A click asks whether it is meant, the second one does it. */
function askTwice(button: HTMLButtonElement, question: string, work: (button: HTMLButtonElement) => unknown): void {
  const words = button.textContent;
  let timer: ReturnType<typeof setTimeout> | undefined;
  button.addEventListener('click', () => {
    const isMeant = timer !== undefined;
    clearTimeout(timer);
    const reset = (): void => {
      timer = undefined;
      button.textContent = words;
      button.classList.remove('danger');
    };
    if (isMeant) {
      reset();
      return void work(button);
    }
    button.textContent = question;
    button.classList.add('danger');
    timer = setTimeout(reset, CONFIRM_MS);
  });
}
