/** The scenarios by name; the first one is the default. */
import { capacity } from '../capacity/scenario.mjs';
import { compression } from './compression.mjs';
import { eventStreams } from './event-streams.mjs';
import { apiKeys, tracing, webhooks } from './features.mjs';
import { history } from './history.mjs';
import { idleCost, memory } from './idle.mjs';
import { logVolume } from './log-volume.mjs';
import { overload } from './overload.mjs';
import { presence } from './presence.mjs';
import { proxies } from './proxies.mjs';
import { recovery } from './recovery.mjs';
import { soketiGhosts, soketiManyChannels, soketiMemory, soketiOneChannel } from './soketi.mjs';
import { stormFaults } from './storm-faults.mjs';
import { connectStorm, reconnectStorm } from './storms.mjs';
import { bigRoom, clientPublish, manyRooms, mixedEncodings } from './traffic.mjs';

export const SCENARIOS = Object.fromEntries(
  [
    ...[bigRoom, manyRooms, mixedEncodings, clientPublish, history],
    ...[connectStorm, reconnectStorm, idleCost, memory],
    ...[soketiOneChannel, soketiManyChannels, soketiMemory, soketiGhosts, eventStreams],
    ...[tracing, webhooks, apiKeys, compression],
    ...[presence, recovery, capacity, overload, stormFaults, logVolume, proxies],
  ].map(scenario => [scenario.name, scenario]),
);
