/** The types that follow from the events that an application names: `HubbubClient<Events>`. Types only. */
import type { AnyEvents, Frame, NameIn, Payload, PayloadOf } from '@hubbub/protocol';
import type { FrameWith, KnownFrames, MessageFrame } from './frames.js';

/** The frame types that a listener can name: those of PROTOCOL.md, and those in `Events`. */
export type FrameTypeName<Events = AnyEvents> = keyof KnownFrames | NameIn<Events>;

/** The frame that a listener of `Name` gets. */
export type FrameOf<Events, Name> = Name extends 'new_message'
  ? MessageFrame<PayloadOf<Events, Name, Payload>>
  : Name extends keyof KnownFrames
    ? KnownFrames[Name]
    : unknown extends Events
      ? Frame
      : FrameWith<PayloadOf<Events, Name, Payload>>;

/** Any frame of a room. Its `type` decides which one it is, where the application names its events. */
export type RoomFrame<Events = AnyEvents> = unknown extends Events
  ? Frame
  : { [Name in FrameTypeName<Events>]: FrameOf<Events, Name> & { readonly type: Name } }[FrameTypeName<Events>];

/** The payload of `room.send`. */
export type MessagePayload<Sent> = PayloadOf<Sent, 'new_message', object>;

/** The client events that an application can send. */
export type SentName<Sent> = unknown extends Sent ? string : Exclude<keyof Sent & string, keyof KnownFrames>;

/** The arguments after the name of a client event. Its payload is optional where it may be empty. */
// biome-ignore lint/complexity/noBannedTypes: the empty object is what an absent payload means
export type EventArguments<P, Options> = {} extends P
  ? [payload?: P, options?: Options]
  : [payload: P, options?: Options];
