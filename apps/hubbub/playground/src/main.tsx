/** The page's start: remembers, signs in, and renders the page after each change. */
import { render } from 'preact';
import { Playground } from './playground.js';
import { recallIdentity, recallPreferences } from './remembered.js';
import { takeAddressWishes } from './server.js';
import { Chat } from './state/chat.js';
import { App } from './views/app.js';

const chat = new Chat(() => render(<App playground={playground} />, document.body));
const playground = new Playground(chat);
const preferences = recallPreferences();
const wishes = takeAddressWishes();

chat.encoding = preferences.encoding;
for (const name of preferences.rooms) chat.addRoom(name);
if (wishes.room !== undefined) chat.addRoom(wishes.room);
chat.activeRoom = [wishes.room, preferences.activeRoom, ...preferences.rooms].find(
  name => name !== undefined && chat.rooms.has(name),
);
document.addEventListener('visibilitychange', () => playground.markRead());

const identity = wishes.token === undefined ? recallIdentity() : { token: wishes.token };
if (identity !== undefined) playground.signIn(identity);
chat.render();
