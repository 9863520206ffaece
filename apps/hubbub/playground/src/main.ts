/** The page's start: state, verbs and views put together. */
import { takeAddressWishes } from './address.js';
import { Playground } from './playground.js';
import { recallIdentity, recallPreferences } from './remembered.js';
import { Chat } from './state/chat.js';
import { composerView } from './views/composer.js';
import { connectionView } from './views/connection.js';
import { framesView } from './views/frames.js';
import { noticesView } from './views/notices.js';
import { panelSwitch } from './views/panel-switch.js';
import { roomPanelsView } from './views/room-panels.js';
import { roomTabsView } from './views/room-tabs.js';
import { rosterView } from './views/roster.js';
import { signInView } from './views/sign-in.js';
import { switchesView } from './views/switches.js';
import { titleView } from './views/title.js';

const chat = new Chat(() => {
  for (const render of views) render();
});
const playground = new Playground(chat);
const preferences = recallPreferences();
const wishes = takeAddressWishes();

chat.encoding = preferences.encoding;
for (const name of preferences.rooms) chat.addRoom(name);
if (wishes.room !== undefined) chat.addRoom(wishes.room);
chat.activeRoom = [wishes.room, preferences.activeRoom, ...preferences.rooms].find(
  name => name !== undefined && chat.rooms.has(name),
);

// In the order of the page: a view may measure the views above it.
const views: readonly (() => void)[] = [
  signInView(playground),
  connectionView(playground),
  switchesView(playground),
  noticesView(playground),
  roomTabsView(playground),
  composerView(playground),
  roomPanelsView(playground),
  rosterView(playground),
  framesView(playground),
  titleView(playground),
];
panelSwitch();

const identity = wishes.token === undefined ? recallIdentity() : { token: wishes.token };
if (identity !== undefined) playground.signIn(identity);
for (const render of views) render();
