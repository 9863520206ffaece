/** The consumer of logs, for Hubbub's own processes: `onEvents` and `onLifecycle` are what services use. */
export type { Verdict } from './attempts.js';
export { type BatchRules, consume } from './consume.js';
export { eventLane, lifecycleLane } from './lane-names.js';
export type { Consumer, ConsumerOptions } from './source.js';
