/** The page of the quiz: the door, then the room in the phase that it is in. */
import { byId, element } from '../../page/dom.js';
import { wordsOf } from '../../page/error-words.js';
import { pageBar } from '../../page/page-bar.js';
import { landing } from './landing.js';
import { RoomPage } from './room-page.js';
import { remember, type Seat, SeatRefusal, tabSeat } from './seat.js';

const stage = byId('stage', HTMLElement);
const codeChip = element('span', { class: 'badge accent code', hidden: true, title: 'Code of the room' });
const showConnection = pageBar('Quiz night', codeChip);

const invitedTo = (new URLSearchParams(location.search).get('room') ?? '').toUpperCase();
const seated = tabSeat();
if (seated !== undefined && (invitedTo === '' || invitedTo === seated.code)) void enter(seated);
else showDoor(invitedTo);

function showDoor(code: string): void {
  stage.replaceChildren(landing(code, seat => void enter(seat)));
}

async function enter(seat: Seat): Promise<void> {
  remember(seat);
  nameInAddress(seat.code);
  stage.replaceChildren(element('p', { class: 'empty', role: 'status' }, 'Entering the room …'));
  const room = new RoomPage(seat, {
    show: (...parts) => stage.replaceChildren(...parts),
    opened(client) {
      showConnection(client);
      codeChip.textContent = seat.code;
      codeChip.hidden = false;
    },
    left() {
      document.querySelector('.connection')?.remove(); // There is no connection to show.
      codeChip.hidden = true;
      nameInAddress(undefined);
      showDoor('');
    },
  });
  try {
    await room.open();
  } catch (error) {
    if (error instanceof SeatRefusal && error.status < 500) room.showClosed(error.message);
    else stage.replaceChildren(tryAgain(wordsOf(error), () => void enter(seat)));
  }
}

function tryAgain(words: string, again: () => void): HTMLElement {
  const button = element('button', { type: 'button', class: 'primary', onclick: again }, 'Try again');
  return element(
    'div',
    { class: 'card narrow stack' },
    element('p', { class: 'problem', role: 'alert' }, words),
    button,
  );
}

/** A link to this page is an invitation. */
function nameInAddress(code: string | undefined): void {
  const address = new URL(location.href);
  if (code === undefined) address.searchParams.delete('room');
  else address.searchParams.set('room', code);
  history.replaceState(null, '', address);
}
