/** Lifecycle events as a service sees them: users that come online and go, rooms that fill and empty, their members. */
import type { LifecycleEntry, LifecycleLog } from '@hubbub/broker';
import type { LifecycleEvent, LifecycleGap } from '@hubbub/protocol';
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

export interface LifecycleOptions extends GroupOptions<LifecycleEntry> {
  /**
   * Called when events may be missing before those that follow: query `presence` for the current state. It is called when the
   * group begins, too, and again if it throws.
   */
  readonly onGap?: (gap: LifecycleGap) => unknown;
}

/** Handles one event. If it throws, the event is retried; after `maxAttempts` it is a dead letter. */
export type LifecycleHandler = (event: ServiceLifecycleEvent) => unknown;

/** @throws {HubbubError} `INVALID_FORMAT` for a group or an option that cannot be. */
export function consumeLifecycle(log: LifecycleLog, options: LifecycleOptions, handler: LifecycleHandler): Consumer {
  if (typeof handler !== 'function') throw wrong('handler', 'expected a function');
  return consume<LifecycleEntry>(
    {
      source: log.group(groupName(options?.group)),
      laneOf: lifecycleLane,
      handle: each(async ({ event, entryId, attempt }, signal) => {
        if (event.event === 'lifecycle_gap') await options.onGap?.(event);
        else await handler({ ...event, entryId, attempt, signal });
      }),
    },
    options,
  );
}
