/** The types that follow from the events that an application names: `HubbubClient<Events>`. Types only. */
import type { Frame, Payload } from '@hubbub/protocol';
import type { FrameWith, KnownFrames, MessageFrame } from './frames.js';

/** The events of a client that names none: every name is allowed, and a payload is any object. */
// biome-ignore lint/suspicious/noExplicitAny: so a client with names fits where one without is expected, and the reverse
export type AnyEvents = any;

/** The names in `Events`; every name where an application gives none. */
type NameIn<Events> = string extends keyof Events ? string & {} : keyof Events & string;

/** `Events[Name]`, or `Other` where an application does not name it. */
export type PayloadOf<Events, Name, Other> = string extends keyof Events
  ? Other
  : Name extends keyof Events
    ? Events[Name]
    : Other;

/** The frame types that a listener can name: those of PROTOCOL.md, and those in `Events`. */
export type FrameTypeName<Events = AnyEvents> = keyof KnownFrames | NameIn<Events>;

/** The frame that a listener of `Name` gets. */
export type FrameOf<Events, Name> = Name extends 'new_message'
  ? MessageFrame<PayloadOf<Events, Name, Payload>>
  : Name extends keyof KnownFrames
    ? KnownFrames[Name]
    : string extends keyof Events
      ? Frame
      : FrameWith<PayloadOf<Events, Name, Payload>>;

/** Any frame of a room. Its `type` decides which one it is, where the application names its events. */
export type RoomFrame<Events = AnyEvents> = string extends keyof Events
  ? Frame
  : { [Name in FrameTypeName<Events>]: FrameOf<Events, Name> & { readonly type: Name } }[FrameTypeName<Events>];

/** The payload of `room.send`. */
export type MessagePayload<Sent> = PayloadOf<Sent, 'new_message', object>;

/** The client events that an application can send. */
export type SentName<Sent> = string extends keyof Sent ? string : Exclude<keyof Sent & string, keyof KnownFrames>;

/** The arguments after the name of a client event. Its payload is optional where it may be empty. */
// biome-ignore lint/complexity/noBannedTypes: the empty object is what an absent payload means
export type EventArguments<P, Options> = {} extends P
  ? [payload?: P, options?: Options]
  : [payload: P, options?: Options];
