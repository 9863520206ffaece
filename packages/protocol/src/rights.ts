/** Rights in a room: a token, a room token and a namespace grant them (PROTOCOL.md section 1). */
export const RIGHTS = ['join', 'publish', 'event', 'presence', 'history'] as const;
export type Right = (typeof RIGHTS)[number];
