/** The chat page: signs in, enters rooms, and shows the one that the address names. */
import { byId } from '../../page/dom.js';
import { wordsOf } from '../../page/error-words.js';
import { pageBar } from '../../page/page-bar.js';
import { toast } from '../../page/toasts.js';
import { ChatRooms } from './chat-rooms.js';
import { forgetIdentity, type Identity, keptIdentity, signIn } from './identity.js';
import { onlineCount } from './online-count.js';

const online = onlineCount();
const showConnection = pageBar('Chat', online.badge);

const form = byId('sign-in-form', HTMLFormElement);
form.addEventListener('submit', async event => {
  event.preventDefault();
  const problem = byId('sign-in-problem', HTMLElement);
  try {
    problem.textContent = '';
    await enter(await signIn(byId('name', HTMLInputElement).value.trim()));
  } catch (error) {
    problem.textContent = wordsOf(error);
  }
});

byId('sign-out', HTMLButtonElement).addEventListener('click', () => {
  forgetIdentity();
  sessionStorage.clear();
  location.assign(location.pathname + location.search);
});

const identity = keptIdentity();
if (identity === undefined) {
  byId('sign-in', HTMLElement).hidden = false;
  byId('name', HTMLInputElement).focus();
} else {
  enter(identity).catch(error => toast(wordsOf(error), 'bad'));
}

async function enter(who: Identity): Promise<void> {
  const rooms = await ChatRooms.open(who, client => {
    showConnection(client);
    // Presence needs a moment; when the roster of a room arrives, it is up to date.
    client.on('room_info', () => void online.look());
  });
  byId('sign-in', HTMLElement).hidden = true;
  byId('chat', HTMLElement).hidden = false;
  await rooms.begin();
}
