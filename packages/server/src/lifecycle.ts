/** Lifecycle events as a service sees them: users that come online and go, rooms that fill and empty, their members. */
import type { LifecycleEntry, LifecycleLog } from '@hubbub/broker';
import type { LifecycleEvent } from '@hubbub/protocol';
import { groupName, wrong } from './checks.js';
import { consume, each } from './consumer/consume.js';
import { lifecycleLane } from './consumer/lane-names.js';
import type { Consumer } from './consumer/source.js';
import type { GroupOptions } from './events.js';

/** An event from presence, with the number of the attempt. */
export type ServiceLifecycleEvent = LifecycleEvent & {
  /** Unique in the cluster: what a repeated handling has in common with the first. */
  readonly entryId: string;
  /** 1 at first, and after another instance took over. */
  readonly attempt: number;
  /** Aborted when another instance may have taken over, or the try takes too long: long work may stop. */
  readonly signal: AbortSignal;
};

export type LifecycleOptions = GroupOptions<LifecycleEntry>;

/** Handles one event. If it throws, the event is retried; after `maxAttempts` it is dropped and `onDeadLetter` called. */
export type LifecycleHandler = (event: ServiceLifecycleEvent) => unknown;

/** @throws {HubbubError} `INVALID_FORMAT` for a group or an option that cannot be. */
export function consumeLifecycle(log: LifecycleLog, options: LifecycleOptions, handler: LifecycleHandler): Consumer {
  if (typeof handler !== 'function') throw wrong('handler', 'expected a function');
  return consume<LifecycleEntry>(
    {
      source: log.group(groupName(options?.group)),
      laneOf: lifecycleLane,
      handle: each(
        async ({ event, entryId, attempt }, signal) => await handler({ ...event, entryId, attempt, signal }),
      ),
    },
    options,
  );
}
