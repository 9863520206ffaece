/** The scenarios by name; the first one is the default. */
import { bigRoom } from './big-room.mjs';
import { clientPublish } from './client-publish.mjs';
import { history } from './history.mjs';
import { idleCost, memory } from './idle.mjs';
import { manyRooms } from './many-rooms.mjs';
import { mixedEncodings } from './mixed-encodings.mjs';
import { presence } from './presence.mjs';
import { recovery } from './recovery.mjs';
import { connectStorm, reconnectStorm } from './storms.mjs';

export const SCENARIOS = Object.fromEntries(
  [
    ...[bigRoom, manyRooms, mixedEncodings, clientPublish, history],
    ...[connectStorm, reconnectStorm, idleCost, memory],
    ...[presence, recovery],
  ].map(scenario => [scenario.name, scenario]),
);
