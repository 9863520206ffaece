/** The page: an attendee's session where the address names one, else the page that makes a session. */
import { openSession } from './session-page.js';
import { openStart } from './start-page.js';

const query = new URLSearchParams(location.search);
const [project, session, attendee] = ['project', 'session', 'attendee'].map(name => query.get(name) ?? '');

if (project && session && attendee) {
  // The key stands behind the #: it never reaches a server's log.
  void openSession({ project, session, attendee, key: location.hash.slice(1) });
} else {
  openStart();
}
