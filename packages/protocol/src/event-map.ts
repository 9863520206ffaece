/** Types that follow from the events that an application names: payloads by event name. Types only. */

/** The events of an application that names none: every name is allowed, and a payload is any object. */
// biome-ignore lint/suspicious/noExplicitAny: so a client with names fits where one without is expected, and the reverse
export type AnyEvents = any;

/** The names in `Events`; every name where an application gives none. */
export type NameIn<Events> = unknown extends Events ? string & {} : keyof Events & string;

/** `Events[Name]`, or `Other` where an application does not name it. */
export type PayloadOf<Events, Name, Other> = unknown extends Events
  ? Other
  : Name extends keyof Events
    ? Events[Name]
    : Other;
