/** An event of a pairwise session that is given out again: its changes and messages stay the same. */
import { expect, test } from 'vitest';
import { join, messagesOf, newSession, once, vote } from '../pairwise-session/rules.js';

const FOR_FIRST = { preferred_feature_id: 'f1', is_tie_vote: false };
const TIE = { preferred_feature_id: null, is_tie_vote: true };

test('an entry that is handled again has the same messages, and an old one has none', () => {
  const features = [
    { name: 'A', description: '' },
    { name: 'B', description: '' },
  ];
  let session = newSession({ project_id: 'p', session_id: 's', name: 'S', features });
  session = once(session, 'client', '1-0', before => join(before, 'ada', 'Ada', 1));
  session = once(session, 'client', '2-0', before => join(before, 'grace', 'Grace', 2));
  session = once(session, 'client', '3-0', before => vote(before, 'ada', 'c1', TIE, 3));
  session = once(session, 'client', '4-0', before => vote(before, 'grace', 'c1', TIE, 4));
  const messages = messagesOf(session, 'client', '4-0');
  expect(messages.map(({ type }) => type)).toContain('consensus_reached');
  // The service died before sending: by now the consensus is old news, and is sent nevertheless.
  const again = once(session, 'client', '4-0', before => vote(before, 'grace', 'c1', TIE, 4));
  expect(messagesOf(again, 'client', '4-0')).toEqual(messages);
  // An instance that froze with an earlier vote of Ada in its hands.
  session = once(again, 'client', '5-0', before => vote(before, 'ada', 'c1', FOR_FIRST, 5));
  const late = once(session, 'client', '3-0', before => vote(before, 'ada', 'c1', TIE, 3));
  expect(late).toBe(session);
  expect(messagesOf(late, 'client', '3-0')).toEqual([]);
});
