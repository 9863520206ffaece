/** The scenarios by name; the first one runs when none is named. */
import { bigRoom } from './big-room.mjs';
import { presence } from './presence.mjs';

export const SCENARIOS = Object.fromEntries([bigRoom].map(scenario => [scenario.name, scenario]));

/** Scenarios that compare no relays: they read their own options and write their own report. */
export const OTHER_SCENARIOS = Object.fromEntries([presence].map(scenario => [scenario.name, scenario]));
