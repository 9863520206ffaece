/** The scenarios by name; the first one runs when none is named. */
import { bigRoom } from './big-room.mjs';

export const SCENARIOS = Object.fromEntries([bigRoom].map(scenario => [scenario.name, scenario]));
