/** Lifecycle events as a service sees them: users that come online and go, rooms that fill and empty, their members. */
import type { LifecycleEntry, LifecycleLog } from '@hubbub/broker';
import type { LifecycleEvent } from '@hubbub/protocol';
import { consume } from './consumer/consume.js';
import type { Consumer } from './consumer/source.js';
import type { EventsOptions } from './events.js';

/** Handles one event. What it throws has the event tried again. */
export type LifecycleHandler = (event: LifecycleEvent & { readonly entryId: string }) => void | Promise<void>;

export function consumeLifecycle(
  log: LifecycleLog,
  { group, ...options }: EventsOptions,
  handler: LifecycleHandler,
): Consumer {
  return consume<LifecycleEntry>(
    {
      source: log.group(group),
      laneOf: ({ event }) => ('room' in event ? `room ${event.room}` : `user ${event.user}`),
      handle: async ({ event, entryId }) => await handler({ ...event, entryId }),
    },
    options,
  );
}
