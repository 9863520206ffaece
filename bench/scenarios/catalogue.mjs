/** The scenarios by name; the first one runs when none is named. */
import { bigRoom } from './big-room.mjs';
import { history } from './history.mjs';
import { presence } from './presence.mjs';
import { recovery } from './recovery.mjs';

export const SCENARIOS = Object.fromEntries([bigRoom].map(scenario => [scenario.name, scenario]));

/** Scenarios that compare no relays: they read their own options and write their own report. */
export const OTHER_SCENARIOS = Object.fromEntries(
  [presence, history, recovery].map(scenario => [scenario.name, scenario]),
);
