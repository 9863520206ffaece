/**
 * What a history costs while everything is well: clients publish into many small rooms, with a history and without, through
 * the same edge otherwise. The two take turns like relays, each with an edge freshly started and an empty Redis.
 */
import { namespacesFile } from '../history/namespaces.mjs';
import { measureTraffic } from '../load/measure-traffic.mjs';
import { roomNames } from '../load/requests.mjs';
import { RELAYS } from '../relays/catalogue.mjs';
import { TALK_MEASURES, TRAFFIC_QUICK, TRAFFIC_WARM_UP, trafficTurnSeconds } from './traffic.mjs';

const HISTORY_SIZE = 100;

/** @type {import('../comparison.mjs').Comparison} */
export const history = {
  name: 'history',
  description: 'clients talk in 100 rooms, one talker and 10 listeners each: rooms with a history beside rooms without',
  stepTitle: 'msg/s',
  relays: {
    plain: { ...RELAYS.hubbub, title: 'Hubbub, rooms without history' },
    kept: { ...RELAYS.hubbub, title: `Hubbub, rooms with a history of ${HISTORY_SIZE} messages` },
  },
  full: { relays: ['plain', 'kept'], rounds: 7, seconds: 5, patience: 10, rooms: 100, members: 10, rates: [1000] },
  quick: TRAFFIC_QUICK,
  warmUp: TRAFFIC_WARM_UP,
  measures: TALK_MEASURES,
  plots: [{ key: 'p99Ms' }, { key: 'ackP99Ms' }, { key: 'relayCpuUsPerDelivery' }],
  targets: [{ relay: 'kept', against: 'plain', key: 'p99Ms', atMost: 1.5 }],
  turnSeconds: trafficTurnSeconds,
  async measure({ settings, ...turn }) {
    const config = namespacesFile(HISTORY_SIZE);
    const rooms = roomNames(settings.rooms, `${turn.relay.name}:`);
    try {
      return await measureTraffic({ ...turn, load: { ...settings, rooms, talkers: 1, env: config.env } });
    } finally {
      config.remove();
    }
  },
};
