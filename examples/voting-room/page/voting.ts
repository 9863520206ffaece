/** Where `voting_started` leads: it shows that voting has begun, and who votes. */
import { avatar, byId, element } from '../../page/dom.js';
import { pageBar } from '../../page/page-bar.js';
import { followRoom, type RoomStatus, sameEdge } from './room.js';

const roomId = new URLSearchParams(location.search).get('room') ?? '';

void followRoom(roomId, pageBar('Voting room'), {
  changed: showVote,
  gone(why) {
    byId('voting', HTMLElement).hidden = true;
    byId('gone', HTMLElement).hidden = false;
    byId('gone-why', HTMLElement).textContent = why;
  },
});

function showVote({ room_id, status, participants }: RoomStatus, present: number): void {
  if (status === 'waiting') {
    location.replace(sameEdge(`/?room=${room_id}`));
    return;
  }
  const section = byId('voting', HTMLElement);
  if (section.hidden) {
    section.hidden = false;
    byId('begun', HTMLElement).focus(); // The page changed without a click: a screen reader begins here.
  }
  byId('summary', HTMLElement).textContent =
    `${participants.length} ${participants.length === 1 ? 'voter' : 'voters'} · ${present} here now`;
  const voters = participants.map(name =>
    element('li', { class: 'badge' }, avatar(name, name), element('span', {}, name)),
  );
  byId('voters', HTMLUListElement).replaceChildren(...voters);
}
